#include "auto_partition.h"

#include <ctype.h>
#include <stdio.h>

#include "base/calendar.h"

/* Bounds a plan; a table may have far fewer partitions than this. */
#define PRECREATE_MAX 10000

struct field {
    char name;        /* as compiled */
    const char *same; /* letters that mean it */
    size_t width;
    int32_t low;
    int32_t high;
};

static const struct field fields[] = {
    {'y', "yu", 4, 0, 9999}, {'Q', "Qq", 1, 1, 4}, {'M', "ML", 2, 1, 12},
    {'d', "d", 2, 1, 31},    {'H', "H", 2, 0, 23},
};

struct unit {
    const char *name;
    const char *format;
    const char *fields; /* in order */
};

static const struct unit units[PARTITION_UNIT_COUNT] = {
    [PARTITION_YEAR] = {"YEAR", "yyyy", "y"},
    [PARTITION_QUARTER] = {"QUARTER", "yyyyQ", "yQ"},
    [PARTITION_MONTH] = {"MONTH", "yyyyMM", "yM"},
    [PARTITION_DAY] = {"DAY", "yyyyMMdd", "yMd"},
    [PARTITION_HOUR] = {"HOUR", "yyyyMMddHH", "yMdH"},
};

static const struct field *field_named(char letter, bool compiled)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (compiled ? fields[i].name == letter : strchr(fields[i].same, letter) != NULL) {
            return &fields[i];
        }
    }
    return NULL;
}

/* ---- patterns ---- */

static enum errcode bad_format(struct error *e, const char *format, const char *why)
{
    return error_set(e, ERR_INVALID_TABLE, "'table.auto-partition.time-format' '%.100s': %s",
                     format, why);
}

static bool add_literal(struct partition_format *f, char c)
{
    if (f->count == ARRAY_LEN(f->items)) {
        return false;
    }
    f->items[f->count].field = '\0';
    f->items[f->count++].literal = c;
    return true;
}

/* Takes one field, run of equal letters, and moves *p behind it. */
static const char *compile_field(const char **p, struct partition_format *f)
{
    const struct field *field = field_named(**p, false);
    size_t width = strspn(*p, (char[]){**p, '\0'});

    if (field == NULL) {
        return "it has a letter that is not one of y Q M d H";
    }
    if (width != field->width) {
        return "the widths of fields are yyyy, Q, MM, dd and HH";
    }
    if (f->count == ARRAY_LEN(f->items)) {
        return "it is too long";
    }
    f->items[f->count++].field = field->name;
    *p += width;
    return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *compile(const char *p, struct partition_format *f)
{
    bool quoted = false;

    while (*p != '\0') {
        if (*p == '\'' && p[1] != '\'') {
            quoted = !quoted;
            p++;
        } else if (!quoted && isalpha((unsigned char)*p)) {
            const char *wrong = compile_field(&p, f);

            if (wrong != NULL) {
                return wrong;
            }
        } else if (!quoted && strchr("[]{}#", *p) != NULL) {
            return "[ ] { } and # have no meaning here";
        } else {
            if (!add_literal(f, *p)) {
                return "it is too long";
            }
            p += *p == '\'' ? 2 : 1;
        }
    }
    return quoted ? "a quote is not closed" : NULL;
}

static bool has_fields(const struct partition_format *f, const char *expected)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->items[i].field != '\0' && f->items[i].field != *expected++) {
            return false;
        }
    }
    return *expected == '\0';
}

/* Longest field is four characters. */
#define VALUE_SIZE_MAX (4 * NAME_LEN_MAX + 1)

static void format_value(const struct partition_format *f, const struct civil *c, char *value)
{
    char *p = value;

    for (size_t i = 0; i < f->count; i++) {
        int width = 2;
        int32_t number = 0;

        switch (f->items[i].field) {
        case '\0':
            *p++ = f->items[i].literal;
            continue;
        case 'y':
            width = 4;
            number = c->year < 0 ? 0 : c->year > 9999 ? 9999 : c->year;
            break;
        case 'Q':
            width = 1;
            number = (c->month + 2) / 3;
            break;
        case 'M':
            number = c->month;
            break;
        case 'd':
            number = c->day;
            break;
        default:
            number = c->hour;
            break;
        }
        p += snprintf(p, 8, "%0*d", width, number);
    }
    *p = '\0';
}

enum errcode partition_format_parse(const char *format, enum partition_unit unit,
                                    struct partition_format *ret, struct error *e)
{
    static const struct civil sample = {.year = 2024, .month = 11, .day = 11, .hour = 11};
    struct partition_format f = {.count = 0};
    char value[VALUE_SIZE_MAX];
    const char *wrong;

    ASSERT(unit < PARTITION_UNIT_COUNT);
    format = format == NULL ? units[unit].format : format;
    wrong = compile(format, &f);
    if (wrong != NULL) {
        return bad_format(e, format, wrong);
    }
    if (!has_fields(&f, units[unit].fields)) {
        return error_set(e, ERR_INVALID_TABLE,
                         "'table.auto-partition.time-format' '%.100s' does not have the fields of "
                         "the unit %s in their order, as '%s' has",
                         format, units[unit].name, units[unit].format);
    }
    format_value(&f, &sample, value);
    if (name_check(NAME_NEW_PARTITION_VALUE, bytes_str(value), NULL) != ERR_OK) {
        return bad_format(e, format, "its values are not legal partition values");
    }
    *ret = f;
    return ERR_OK;
}

bool partition_format_matches(const struct partition_format *format, const char *text)
{
    for (size_t i = 0; i < format->count; i++) {
        const struct field *field;
        int32_t number = 0;

        if (format->items[i].field == '\0') {
            if (*text++ != format->items[i].literal) {
                return false;
            }
            continue;
        }
        field = field_named(format->items[i].field, true);
        for (size_t digit = 0; digit < field->width; digit++, text++) {
            if (!isdigit((unsigned char)*text)) {
                return false;
            }
            number = number * 10 + (*text - '0');
        }
        if (number < field->low || number > field->high) {
            return false;
        }
    }
    return *text == '\0';
}

/* ---- values ---- */

/* The instant in local time, `offset` units away. Days and longer move the local date, hours the
 * instant, so that an hour after the clocks change is the next hour. */
static struct civil civil_at(enum partition_unit unit, const struct tz *tz, int64_t seconds,
                             int32_t offset)
{
    struct civil c;
    int64_t months;

    if (unit == PARTITION_HOUR) {
        seconds += (int64_t)offset * 3600;
    }
    seconds += tz_offset_at(tz, seconds);
    if (unit == PARTITION_DAY) {
        seconds += (int64_t)offset * SECONDS_PER_DAY;
    }
    c = calendar_civil(seconds);
    if (unit == PARTITION_YEAR || unit == PARTITION_QUARTER || unit == PARTITION_MONTH) {
        months = unit == PARTITION_YEAR ? 12 : unit == PARTITION_QUARTER ? 3 : 1;
        months = (int64_t)c.year * 12 + c.month - 1 + months * offset;
        c.year = (int32_t)floor_div(months, 12);
        c.month = (int32_t)floor_mod(months, 12) + 1;
    }
    return c;
}

const char *auto_partition_value(const struct auto_partition_state *state,
                                 const struct partition_format *format, int32_t offset,
                                 struct arena *arena)
{
    struct civil c =
        civil_at(state->options->unit, state->tz, floor_div(state->now_ms, 1000), offset);
    char value[VALUE_SIZE_MAX];

    format_value(format, &c, value);
    return arena_strndup(arena, value, strlen(value));
}

int32_t auto_partition_key(const struct auto_partition *options, struct text_list partition_keys)
{
    if (options->key == NULL) {
        return partition_keys.count == 0 ? -1 : 0;
    }
    for (size_t i = 0; i < partition_keys.count; i++) {
        if (strcmp(partition_keys.items[i], options->key) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* The oldest value that is kept; NULL: all are. */
static const char *retention_bound(const struct auto_partition_state *state,
                                   const struct partition_format *format, struct arena *arena)
{
    if (state->options->retention < 0) {
        return NULL;
    }
    return auto_partition_value(state, format, -state->options->retention, arena);
}

enum errcode auto_partition_check(const struct auto_partition_state *state, struct text_list values,
                                  struct error *e)
{
    const struct auto_partition *options = state->options;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct partition_format format;
    const char *bound;
    int32_t key;

    if (!options->enabled && options->format == NULL) {
        return ERR_OK;
    }
    TRY(partition_format_parse(options->format, options->unit, &format, e));
    key = auto_partition_key(options, state->partition_keys);
    if (key < 0 || !partition_format_matches(&format, values.items[key])) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID,
                         "partition value '%.100s' does not have the format '%.80s' of the time "
                         "unit %s",
                         key < 0 ? "" : values.items[key],
                         options->format == NULL ? units[options->unit].format : options->format,
                         units[options->unit].name);
    }
    bound = options->enabled ? retention_bound(state, &format, &arena) : NULL;
    if (bound != NULL && strcmp(values.items[key], bound) < 0) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID,
                         "partition value '%.100s' lies before '%s', the oldest that is kept",
                         values.items[key], bound);
    }
    return ERR_OK;
}

/* ---- plans ---- */

static struct text_list plan_create(const struct auto_partition_state *state,
                                    const struct partition_format *format,
                                    struct text_list existing, struct arena *arena)
{
    int32_t count = state->options->precreate;
    const char **items;
    size_t made = 0;

    count = state->partition_keys.count != 1 || count < 0 ? 0 : count;
    count = count > PRECREATE_MAX ? PRECREATE_MAX : count;
    items = arena_array(arena, (size_t)count, sizeof *items);
    for (int32_t i = 0; i < count; i++) {
        const char *value = auto_partition_value(state, format, i, arena);

        /* the hour that is repeated when the clocks go back has one value */
        if (!text_list_contains(existing, value) &&
            (made == 0 || strcmp(items[made - 1], value) != 0)) {
            items[made++] = value;
        }
    }
    return (struct text_list){.items = items, .count = made};
}

static bool is_expired(const struct auto_partition_state *state, const char *name,
                       const char *bound, struct arena *arena)
{
    int32_t key = auto_partition_key(state->options, state->partition_keys);
    struct text_list values = {0};

    if (key < 0 ||
        partition_split_name(name, state->partition_keys.count, arena, &values, NULL) != ERR_OK) {
        return false;
    }
    return strcmp(values.items[key], bound) < 0 &&
           !text_list_contains(values, PARTITION_HISTORICAL);
}

static struct text_list plan_drop(const struct auto_partition_state *state, const char *bound,
                                  struct text_list existing, struct arena *arena)
{
    const char **items = arena_array(arena, existing.count, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; i < existing.count; i++) {
        if (is_expired(state, existing.items[i], bound, arena)) {
            items[count++] = existing.items[i];
        }
    }
    return (struct text_list){.items = items, .count = count};
}

enum errcode auto_partition_plan(const struct auto_partition_state *state,
                                 struct text_list existing, struct arena *arena,
                                 struct auto_partition_plan *ret, struct error *e)
{
    struct auto_partition_plan plan = {.create = {0}};
    struct partition_format format;
    const char *bound;

    if (state->options->enabled) {
        TRY(partition_format_parse(state->options->format, state->options->unit, &format, e));
        plan.create = plan_create(state, &format, existing, arena);
        bound = retention_bound(state, &format, arena);
        if (bound != NULL) {
            plan.drop = plan_drop(state, bound, existing, arena);
        }
    }
    *ret = plan;
    return ERR_OK;
}
