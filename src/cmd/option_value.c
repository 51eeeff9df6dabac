#include "option_value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"

static enum errcode parse_typed(const struct option *option, struct arena *arena,
                                struct option_value *v, struct error *e);
static enum errcode check_range(const struct option *option, const struct option_value *v,
                                struct error *e);
static enum errcode parse_enum(const struct option *option, struct arena *arena,
                               struct option_value *v, struct error *e);
static enum errcode parse_list(const struct option *option, struct arena *arena,
                               struct option_value *v, struct error *e);

const char *option_type_name(enum option_type type)
{
    switch (type) {
    case OPTION_STRING:
        return "text";
    case OPTION_INT:
        return "whole number";
    case OPTION_LONG:
        return "whole number";
    case OPTION_BOOL:
        return "true or false";
    case OPTION_DURATION:
        return "duration";
    case OPTION_MEMORY:
        return "memory size";
    case OPTION_DOUBLE:
        return "number";
    case OPTION_ENUM:
        return "word";
    case OPTION_LIST:
        return "list";
    case OPTION_MAP:
        return "map";
    }
    return "";
}

static struct bytes trim(struct bytes b)
{
    while (b.len > 0 && isspace(b.data[0])) {
        b = bytes_slice(b, 1, b.len - 1);
    }
    while (b.len > 0 && isspace(b.data[b.len - 1])) {
        b.len--;
    }
    return b;
}

/* Text that a protobuf string and a diagnostic line can carry; only strings have several lines. */
static enum errcode check_text(const struct option *option, struct bytes text, struct error *e)
{
    if (text.len > OPTION_VALUE_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found %zu bytes, expected at most %d", text.len,
                         OPTION_VALUE_MAX);
    }
    if (!utf8_valid(text)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found bytes that are not UTF-8, expected text");
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool line_break = option->type == OPTION_STRING && (c == '\n' || c == '\r' || c == '\t');

        if (iscntrl(c) && !line_break) {
            return error_set(e, ERR_INVALID_ARGUMENT, "found control characters, expected text");
        }
    }
    return ERR_OK;
}

enum errcode option_value_parse(const struct option *option, struct bytes text, struct arena *arena,
                                struct option_value *ret, struct error *e)
{
    struct option_value v = {0};

    if (option->type != OPTION_STRING) {
        text = trim(text);
    }
    TRY(check_text(option, text, e));
    v.text = arena_strndup(arena, text.data, text.len);
    TRY(parse_typed(option, arena, &v, e));
    TRY(check_range(option, &v, e));
    *ret = v;
    return ERR_OK;
}

static enum errcode parse_typed(const struct option *option, struct arena *arena,
                                struct option_value *v, struct error *e)
{
    int32_t i32 = 0;
    bool truth = false;

    switch (option->type) {
    case OPTION_STRING:
        return ERR_OK;
    case OPTION_INT:
        TRY(units_parse_i32(v->text, &i32, e));
        v->number = i32;
        return ERR_OK;
    case OPTION_LONG:
        return units_parse_i64(v->text, &v->number, e);
    case OPTION_BOOL:
        TRY(units_parse_bool(v->text, &truth, e));
        v->number = truth;
        return ERR_OK;
    case OPTION_DURATION:
        TRY(units_parse_duration_ms(v->text, &v->number, e));
        if (v->number > OPTION_DURATION_MAX_MS) {
            v->number = OPTION_DURATION_MAX_MS;
        }
        return ERR_OK;
    case OPTION_MEMORY:
        return units_parse_memory_size(v->text, &v->number, e);
    case OPTION_DOUBLE:
        return units_parse_double(v->text, &v->real, e);
    case OPTION_ENUM:
        return parse_enum(option, arena, v, e);
    case OPTION_LIST:
    case OPTION_MAP:
        return parse_list(option, arena, v, e);
    }
    return ERR_OK;
}

/* ---- limits ---- */

struct option_range option_range(const struct option *option)
{
    struct option_range r = {.low = INT64_MIN, .high = INT64_MAX};
    const char *dots = option->limits == NULL ? NULL : strstr(option->limits, "..");

    if (dots != NULL) {
        r.low = dots == option->limits ? r.low : strtoll(option->limits, NULL, 10);
        r.high = dots[2] == '\0' ? r.high : strtoll(dots + 2, NULL, 10);
    }
    return r;
}

/* A bound as a user would write it. */
static const char *bound_text(const struct option *option, int64_t bound, char text[UNITS_TEXT_MAX])
{
    if (option->type == OPTION_DURATION) {
        units_format_duration_ms(bound, text);
    } else if (option->type == OPTION_MEMORY) {
        units_format_memory_size(bound, text);
    } else {
        (void)snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)bound);
    }
    return text;
}

static bool below(const struct option *option, const struct option_value *v, int64_t bound)
{
    return option->type == OPTION_DOUBLE ? v->real < (double)bound : v->number < bound;
}

static bool above(const struct option *option, const struct option_value *v, int64_t bound)
{
    return option->type == OPTION_DOUBLE ? v->real > (double)bound : v->number > bound;
}

static enum errcode check_range(const struct option *option, const struct option_value *v,
                                struct error *e)
{
    struct option_range r = option_range(option);
    char text[UNITS_TEXT_MAX];

    if (option->type == OPTION_ENUM || option->limits == NULL) {
        return ERR_OK;
    }
    if (below(option, v, r.low)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected at least %s", v->text,
                         bound_text(option, r.low, text));
    }
    if (above(option, v, r.high)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected at most %s", v->text,
                         bound_text(option, r.high, text));
    }
    return ERR_OK;
}

/* ---- words and lists ---- */

static enum errcode parse_enum(const struct option *option, struct arena *arena,
                               struct option_value *v, struct error *e)
{
    const char *word = option->limits;

    while (word != NULL) {
        const char *bar = strchr(word, '|');
        size_t len = bar == NULL ? strlen(word) : (size_t)(bar - word);
        const char *known = arena_strndup(arena, word, len);

        if (text_equal_ignore_case(known, v->text)) {
            v->text = known;
            return ERR_OK;
        }
        word = bar == NULL ? NULL : bar + 1;
    }
    return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected one of %s", v->text,
                     option->limits);
}

static enum errcode check_element(const struct option *option, const char *element, struct error *e)
{
    const char *colon = strchr(element, ':');

    if (option->type == OPTION_LIST || (colon != NULL && colon != element)) {
        return ERR_OK;
    }
    return option_is_secret(option->key)
               ? error_set(e, ERR_INVALID_ARGUMENT, "expected key:value,key:value")
               : error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected key:value,key:value",
                           element);
}

static enum errcode parse_list(const struct option *option, struct arena *arena,
                               struct option_value *v, struct error *e)
{
    struct bytes rest = bytes_str(v->text);
    const char **list;
    size_t count = 1;

    for (size_t i = 0; i < rest.len; i++) {
        count += rest.data[i] == ',';
    }
    list = arena_array(arena, count, sizeof *list);
    while (rest.len > 0) {
        const uint8_t *comma = memchr(rest.data, ',', rest.len);
        size_t len = comma == NULL ? rest.len : (size_t)(comma - rest.data);
        struct bytes element = trim(bytes_slice(rest, 0, len));

        if (element.len > 0) {
            list[v->list_len] = arena_strndup(arena, element.data, element.len);
            TRY(check_element(option, list[v->list_len++], e));
        }
        rest = bytes_slice(rest, len + (comma != NULL), rest.len - len - (comma != NULL));
    }
    v->list = list;
    return ERR_OK;
}
