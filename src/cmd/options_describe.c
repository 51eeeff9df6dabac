/* `eider config`: the table of options for people and for programs. */
#include "option_value.h"

#include <string.h>

#include "base/units.h"
#include "format/json.h"

#define COLUMN 48 /* where the default begins; longer keys have a line of their own */
#define INDENT 6  /* of the meaning, below */

static const struct {
    enum option_effect effect;
    const char *name;
    const char *title;
} effects[] = {
    {OPTION_HONOURED, "honoured", "Options"},
    {OPTION_LATER, "none", "Accepted, without effect in this version"},
    {OPTION_FOREIGN, "foreign", "Accepted, without meaning for this program"},
};

static const char *effect_name(enum option_effect effect)
{
    for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
        if (effects[i].effect == effect) {
            return effects[i].name;
        }
    }
    return "";
}

/* What may stand there: "memory size, at most 2 gb", "fsync|os". */
static void print_type(FILE *out, const struct option *option)
{
    struct option_range r = option_range(option);
    bool words = option->type == OPTION_ENUM;

    fprintf(out, "  (%s", words ? option->limits : option_type_name(option->type));
    if (!words && r.low != INT64_MIN) {
        fprintf(out, ", from %lld", (long long)r.low);
    }
    if (!words && r.high != INT64_MAX) {
        fprintf(out, ", to %lld", (long long)r.high);
    }
    if (option->limits != NULL && option->type == OPTION_DURATION) {
        fprintf(out, " ms");
    }
    if (option->limits != NULL && option->type == OPTION_MEMORY) {
        fprintf(out, " bytes");
    }
    fprintf(out, ")\n");
}

static void print_option(FILE *out, const struct option *option)
{
    fprintf(out, "  %-*s %s", COLUMN - 3, option->key,
            option->fallback == NULL ? "-" : option->fallback);
    print_type(out, option);
    fprintf(out, "%*s%s\n", INDENT, "", option->meaning);
}

static void print_effect(FILE *out, enum option_effect effect, const char *title)
{
    fprintf(out, "\n%s:\n\n", title);
    for (size_t i = 0; i < option_table_len; i++) {
        if (option_table[i].effect == effect) {
            print_option(out, &option_table[i]);
        }
    }
    for (size_t i = 0; i < option_prefixes_len; i++) {
        const struct option_prefix *p = &option_prefixes[i];

        if (p->effect == effect) {
            fprintf(out, "  %s*\n%*s%s\n", p->prefix, INDENT, "", p->meaning);
        }
    }
}

void options_describe(FILE *out)
{
    fprintf(
        out,
        "Options of the server, each with its default ('-': none) and meaning. They are set in\n"
        "the file of --config as 'key: value' lines, or on the command line as -D key=value.\n");
    for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
        print_effect(out, effects[i].effect, effects[i].title);
    }
    fprintf(out, "\nOlder names that are read as well:\n\n");
    for (size_t i = 0; i < option_aliases_len; i++) {
        fprintf(out, "  %-*s %s\n", COLUMN - 3, option_aliases[i].old_key, option_aliases[i].key);
    }
}

static void json_option(struct json_writer *w, const struct option *option)
{
    json_write_object(w);
    json_write_string_member(w, "key", option->key);
    json_write_string_member(w, "type", option_type_name(option->type));
    json_write_key(w, "default");
    if (option->fallback == NULL) {
        json_write_null(w);
    } else {
        json_write_string(w, option->fallback);
    }
    if (option->limits != NULL) {
        json_write_string_member(w, "limits", option->limits);
    }
    json_write_string_member(w, "effect", effect_name(option->effect));
    json_write_string_member(w, "meaning", option->meaning);
    json_write_end(w);
}

static void json_prefixes(struct json_writer *w)
{
    json_write_array(w);
    for (size_t i = 0; i < option_prefixes_len; i++) {
        json_write_object(w);
        json_write_string_member(w, "prefix", option_prefixes[i].prefix);
        json_write_string_member(w, "effect", effect_name(option_prefixes[i].effect));
        json_write_string_member(w, "meaning", option_prefixes[i].meaning);
        json_write_end(w);
    }
    json_write_end(w);
}

static void json_aliases(struct json_writer *w)
{
    json_write_array(w);
    for (size_t i = 0; i < option_aliases_len; i++) {
        json_write_object(w);
        json_write_string_member(w, "key", option_aliases[i].old_key);
        json_write_string_member(w, "means", option_aliases[i].key);
        json_write_end(w);
    }
    json_write_end(w);
}

void options_describe_json(FILE *out)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct json_writer w;
    struct bytes text;

    json_writer_init(&w, &arena);
    json_write_object(&w);
    json_write_key(&w, "options");
    json_write_array(&w);
    for (size_t i = 0; i < option_table_len; i++) {
        json_option(&w, &option_table[i]);
    }
    json_write_end(&w);
    json_write_key(&w, "prefixes");
    json_prefixes(&w);
    json_write_key(&w, "older_names");
    json_aliases(&w);
    json_write_end(&w);
    text = json_writer_text(&w);
    fprintf(out, "%.*s\n", (int)text.len, (const char *)text.data);
}
