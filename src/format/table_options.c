#include "table_options.h"

#include <stdio.h>

#include "base/units.h"

enum option_kind { KIND_INT, KIND_LONG, KIND_BOOL, KIND_DURATION, KIND_TEXT, KIND_ENUM };

/* Names of enum values in the order of the enum; "" is a value that cannot be written. */
static const char *const LOG_FORMAT_names[] = {"ARROW", "INDEXED", "COMPACTED", NULL};
static const char *const ARROW_COMPRESSION_names[] = {"NONE", "LZ4_FRAME", "ZSTD", NULL};
static const char *const KV_FORMAT_names[] = {"COMPACTED", "INDEXED", NULL};
static const char *const TIME_UNIT_names[] = {"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", NULL};
static const char *const LAKE_FORMAT_names[] = {"", "PAIMON", "LANCE", "ICEBERG", "HUDI", NULL};
static const char *const MERGE_ENGINE_names[] = {"", "FIRST_ROW", "VERSIONED", "AGGREGATION", NULL};
static const char *const DELETE_BEHAVIOR_names[] = {"ALLOW", "IGNORE", "DISABLE", NULL};
static const char *const CHANGELOG_IMAGE_names[] = {"FULL", "WAL", NULL};

#define KIND_LOG_FORMAT        KIND_ENUM
#define KIND_ARROW_COMPRESSION KIND_ENUM
#define KIND_KV_FORMAT         KIND_ENUM
#define KIND_TIME_UNIT         KIND_ENUM
#define KIND_LAKE_FORMAT       KIND_ENUM
#define KIND_MERGE_ENGINE      KIND_ENUM
#define KIND_DELETE_BEHAVIOR   KIND_ENUM
#define KIND_CHANGELOG_IMAGE   KIND_ENUM
#define INT_names              NULL
#define LONG_names             NULL
#define BOOL_names             NULL
#define DURATION_names         NULL
#define TEXT_names             NULL

struct option {
    const char *key;
    const char *initial;
    const char *const *names; /* of an enum */
    size_t offset;            /* of the field in struct table_options */
    size_t size;
    enum option_kind kind;
    bool alterable;
};

static const struct option options_table[TABLE_OPTION_COUNT] = {
#define X(name, text, type, field, first, change)                                                  \
    [TABLE_OPTION_##name] = {.key = text,                                                          \
                             .initial = first,                                                     \
                             .names = type##_names,                                                \
                             .offset = offsetof(struct table_options, field),                      \
                             .size = sizeof(((struct table_options *)0)->field),                   \
                             .kind = KIND_##type,                                                  \
                             .alterable = change},
#include "table_options.def"
#undef X
};

static enum errcode parse_enum(const struct option *o, const char *text, uint32_t *ret,
                               struct error *e)
{
    char expected[120] = "";
    size_t len = 0;

    for (uint32_t i = 0; o->names[i] != NULL; i++) {
        if (o->names[i][0] == '\0') {
            continue;
        }
        if (text_equal_ignore_case(o->names[i], text)) {
            *ret = i;
            return ERR_OK;
        }
        len += (size_t)snprintf(expected + len, sizeof expected - len, "%s%s", len == 0 ? "" : ", ",
                                o->names[i]);
        ASSERT(len < sizeof expected);
    }
    return error_set(e, ERR_INVALID_ARGUMENT, "found \"%.80s\", expected one of %s", text,
                     expected);
}

/* Writes the value to its field; the size of the field is that of the kind. */
static enum errcode parse_value(const struct option *o, const char *text, void *field,
                                struct error *e)
{
    switch (o->kind) {
    case KIND_INT:
        ASSERT(o->size == sizeof(int32_t));
        return units_parse_i32(text, field, e);
    case KIND_LONG:
        ASSERT(o->size == sizeof(int64_t));
        return units_parse_i64(text, field, e);
    case KIND_BOOL:
        ASSERT(o->size == sizeof(bool));
        return units_parse_bool(text, field, e);
    case KIND_DURATION:
        ASSERT(o->size == sizeof(int64_t));
        return units_parse_duration_ms(text, field, e);
    case KIND_TEXT:
        ASSERT(o->size == sizeof(const char *));
        *(const char **)field = text;
        return ERR_OK;
    case KIND_ENUM:
        ASSERT(o->size == sizeof(uint32_t));
        return parse_enum(o, text, field, e);
    }
    return ERR_OK;
}

static enum errcode set_option(struct table_options *options, enum table_option option,
                               const char *text, struct error *e)
{
    const struct option *o = &options_table[option];

    if (parse_value(o, text, (char *)options + o->offset, e) == ERR_OK) {
        return ERR_OK;
    }
    if (e != NULL) {
        error_wrap(e, "invalid value of '%s'", o->key);
        e->code = ERR_INVALID_CONFIG;
    }
    return ERR_INVALID_CONFIG;
}

static enum errcode unknown_key(const char *key, struct error *e)
{
    if (strncmp(key, TABLE_OPTION_PREFIX, strlen(TABLE_OPTION_PREFIX)) == 0) {
        return error_set(e, ERR_INVALID_CONFIG,
                         "'%.100s' is not a table property that this server knows", key);
    }
    return error_set(e, ERR_INVALID_CONFIG,
                     "'%.100s' is not a table property; properties of one's own are custom "
                     "properties",
                     key);
}

enum errcode table_options_parse(struct text_map properties, struct table_options *ret,
                                 struct error *e)
{
    struct table_options options = {.present = 0};

    for (int i = 0; i < TABLE_OPTION_COUNT; i++) {
        if (options_table[i].initial != NULL) {
            TRY(set_option(&options, (enum table_option)i, options_table[i].initial, e));
        }
    }
    for (size_t i = 0; i < properties.count; i++) {
        enum table_option option;

        if (!table_option_find(properties.items[i].key, &option)) {
            return unknown_key(properties.items[i].key, e);
        }
        TRY(set_option(&options, option, properties.items[i].value, e));
        options.present |= UINT64_C(1) << option;
    }
    *ret = options;
    return ERR_OK;
}

const char *table_option_key(enum table_option option)
{
    ASSERT(option < TABLE_OPTION_COUNT);
    return options_table[option].key;
}

const char *table_option_default(enum table_option option)
{
    ASSERT(option < TABLE_OPTION_COUNT);
    return options_table[option].initial;
}

bool table_option_alterable(enum table_option option)
{
    ASSERT(option < TABLE_OPTION_COUNT);
    return options_table[option].alterable;
}

bool table_option_find(const char *key, enum table_option *ret)
{
    for (int i = 0; i < TABLE_OPTION_COUNT; i++) {
        if (strcmp(options_table[i].key, key) == 0) {
            *ret = (enum table_option)i;
            return true;
        }
    }
    return false;
}

const char *lake_format_name(enum lake_format format) { return LAKE_FORMAT_names[format]; }

bool lake_format_parse(const char *text, enum lake_format *ret)
{
    for (uint32_t i = LAKE_FORMAT_PAIMON; LAKE_FORMAT_names[i] != NULL; i++) {
        if (text_equal_ignore_case(LAKE_FORMAT_names[i], text)) {
            *ret = (enum lake_format)i;
            return true;
        }
    }
    return false;
}
