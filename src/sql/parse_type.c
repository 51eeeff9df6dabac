#include "parse_type.h"

enum type_form {
    FORM_PLAIN,
    FORM_FRACTION, /* [(p)] [with | without time zone]; precision: the default */
    FORM_LENGTH,   /* [(n)], which is kept */
    FORM_DROPPED,  /* [(n)], which is not */
    FORM_DECIMAL,
};

static const struct known_type {
    const char *name;
    enum type_root root;
    enum type_form form;
    int32_t precision;
} known_types[] = {
    {"boolean", TYPE_BOOLEAN, FORM_PLAIN, 0},
    {"bool", TYPE_BOOLEAN, FORM_PLAIN, 0},
    {"tinyint", TYPE_TINYINT, FORM_PLAIN, 0},
    {"int1", TYPE_TINYINT, FORM_PLAIN, 0},
    {"smallint", TYPE_SMALLINT, FORM_PLAIN, 0},
    {"int2", TYPE_SMALLINT, FORM_PLAIN, 0},
    {"int", TYPE_INTEGER, FORM_PLAIN, 0},
    {"integer", TYPE_INTEGER, FORM_PLAIN, 0},
    {"int4", TYPE_INTEGER, FORM_PLAIN, 0},
    {"bigint", TYPE_BIGINT, FORM_PLAIN, 0},
    {"int8", TYPE_BIGINT, FORM_PLAIN, 0},
    {"long", TYPE_BIGINT, FORM_PLAIN, 0},
    {"real", TYPE_FLOAT, FORM_PLAIN, 0},
    {"float", TYPE_FLOAT, FORM_PLAIN, 0},
    {"float4", TYPE_FLOAT, FORM_PLAIN, 0},
    {"double", TYPE_DOUBLE, FORM_PLAIN, 0},
    {"float8", TYPE_DOUBLE, FORM_PLAIN, 0},
    {"decimal", TYPE_DECIMAL, FORM_DECIMAL, 0},
    {"numeric", TYPE_DECIMAL, FORM_DECIMAL, 0},
    {"dec", TYPE_DECIMAL, FORM_DECIMAL, 0},
    {"text", TYPE_STRING, FORM_PLAIN, 0},
    {"string", TYPE_STRING, FORM_PLAIN, 0},
    {"varchar", TYPE_STRING, FORM_DROPPED, 0},
    {"bytea", TYPE_BYTES, FORM_PLAIN, 0},
    {"bytes", TYPE_BYTES, FORM_PLAIN, 0},
    {"blob", TYPE_BYTES, FORM_PLAIN, 0},
    {"varbinary", TYPE_BYTES, FORM_DROPPED, 0},
    {"char", TYPE_CHAR, FORM_LENGTH, 0},
    {"character", TYPE_CHAR, FORM_LENGTH, 0},
    {"binary", TYPE_BINARY, FORM_LENGTH, 0},
    {"date", TYPE_DATE, FORM_PLAIN, 0},
    {"time", TYPE_TIME, FORM_FRACTION, 3},
    {"timestamp", TYPE_TIMESTAMP, FORM_FRACTION, 6},
    {"datetime", TYPE_TIMESTAMP, FORM_FRACTION, 6},
    {"timestamp_s", TYPE_TIMESTAMP, FORM_FRACTION, 0},
    {"timestamp_ms", TYPE_TIMESTAMP, FORM_FRACTION, 3},
    {"timestamp_ns", TYPE_TIMESTAMP, FORM_FRACTION, 9},
    {"timestamptz", TYPE_TIMESTAMP_LTZ, FORM_FRACTION, 6},
    {"timestamp_ltz", TYPE_TIMESTAMP_LTZ, FORM_FRACTION, 6},
};

/* Types that users try, and what to take in their place. */
static const struct {
    const char *name;
    const char *hint;
} missing_types[] = {
    {"uuid", "A text column holds it."},
    {"json", "A text column holds it."},
    {"jsonb", "A text column holds it."},
    {"interval", "A bigint column holds a number of units."},
    {"timetz", "There is time, and timestamptz."},
    {"hugeint", "There is decimal(38, 0)."},
    {"serial", "Take int and WITH ('auto-increment.fields' = 'column')."},
    {"bigserial", "Take bigint and WITH ('auto-increment.fields' = 'column')."},
};

static bool parse_at(struct parse *p, unsigned depth, const struct type **ret);

static struct type *new_type(struct parse *p, enum type_root root)
{
    struct type *type = arena_new(p->arena, struct type);

    type->root = root;
    type->nullable = true;
    return type;
}

/* ---- parameters ---- */

/* "(n)", if it is there. */
static bool parse_size(struct parse *p, int32_t *ret)
{
    if (!parse_byte(p, '(')) {
        return true;
    }
    return parse_integer(p, ret) && parse_need_byte(p, ')');
}

static bool parse_decimal(struct parse *p, struct type *type)
{
    if (!parse_byte(p, '(')) {
        return parse_failed(p, "42601", "a decimal needs a precision here") ||
               parse_hint(p, "Say decimal(p, s): p digits at most, 38 or fewer, s of them behind "
                             "the point.");
    }
    if (!parse_integer(p, &type->precision) ||
        (parse_byte(p, ',') && !parse_integer(p, &type->scale))) {
        return false;
    }
    if (type->precision < 1 || type->precision > TYPE_PRECISION_MAX ||
        type->scale > type->precision) {
        return parse_failed(p, "22023", "a decimal has 1 to %d digits, its scale is no larger",
                            TYPE_PRECISION_MAX);
    }
    return parse_need_byte(p, ')');
}

static bool parse_fraction(struct parse *p, struct type *type)
{
    if (!parse_size(p, &type->precision)) {
        return false;
    }
    if (type->precision > 9) {
        return parse_failed(p, "22023", "a time has at most 9 digits of a second");
    }
    if (parse_words(p, "without", "time")) {
        return parse_need_word(p, "zone");
    }
    if (type->root == TYPE_TIMESTAMP && parse_word(p, "with")) {
        type->root = TYPE_TIMESTAMP_LTZ;
        return (parse_word(p, "local") || true) && parse_need_word(p, "time") &&
               parse_need_word(p, "zone");
    }
    return true;
}

static bool parse_plain(struct parse *p, const struct known_type *known, struct type **ret)
{
    struct type *type = new_type(p, known->root);
    int32_t dropped = 0;

    type->precision = known->precision;
    type->length = 1;
    *ret = type;
    switch (known->form) {
    case FORM_DECIMAL:
        return parse_decimal(p, type);
    case FORM_FRACTION:
        return parse_fraction(p, type);
    case FORM_DROPPED:
        return parse_size(p, &dropped);
    case FORM_LENGTH:
        if (known->root == TYPE_CHAR && parse_word(p, "varying")) {
            type->root = TYPE_STRING;
            return parse_size(p, &dropped);
        }
        if (!parse_size(p, &type->length)) {
            return false;
        }
        return type->length > 0 ? true : parse_failed(p, "22023", "a length is at least 1");
    case FORM_PLAIN:
        if (known->root == TYPE_DOUBLE) {
            (void)parse_word(p, "precision");
        }
        return true;
    }
    return true;
}

/* ---- nested types ---- */

static void set_children(struct type *type, const struct type_field *fields, size_t count)
{
    type->fields = fields;
    type->count = (uint32_t)count;
}

static const struct type *not_null(struct parse *p, const struct type *type)
{
    return type_with_nullable(type, false, p->arena);
}

/* [NOT NULL] behind a nested type. */
static bool parse_nullability(struct parse *p, const struct type **type)
{
    if (!parse_word(p, "not")) {
        return true;
    }
    *type = not_null(p, *type);
    return parse_need_word(p, "null");
}

static bool parse_child(struct parse *p, unsigned depth, const struct type **ret)
{
    return parse_at(p, depth + 1, ret) && parse_nullability(p, ret);
}

static bool close_bracket(struct parse *p, bool angle)
{
    return parse_need_byte(p, angle ? '>' : ')');
}

static bool open_bracket(struct parse *p, bool *ret_angle)
{
    *ret_angle = parse_byte(p, '<');
    return *ret_angle || parse_need_byte(p, '(');
}

static struct type *array_of(struct parse *p, const struct type *element)
{
    struct type *type = new_type(p, TYPE_ARRAY);
    struct type_field *field = arena_new(p->arena, struct type_field);

    *field = (struct type_field){.name = "element", .type = element, .id = -1};
    set_children(type, field, 1);
    return type;
}

static bool parse_array(struct parse *p, unsigned depth, const struct type **ret)
{
    const struct type *element;
    bool angle;

    if (!open_bracket(p, &angle) || !parse_child(p, depth, &element)) {
        return false;
    }
    *ret = array_of(p, element);
    return close_bracket(p, angle);
}

static bool parse_map(struct parse *p, unsigned depth, const struct type **ret)
{
    struct type_field *fields = arena_array(p->arena, 2, sizeof *fields);
    struct type *type = new_type(p, TYPE_MAP);
    bool angle;

    if (!open_bracket(p, &angle) || !parse_child(p, depth, &fields[0].type) ||
        !parse_need_byte(p, ',') || !parse_child(p, depth, &fields[1].type)) {
        return false;
    }
    fields[0].name = "key";
    fields[0].type = not_null(p, fields[0].type);
    fields[1].name = "value";
    fields[0].id = fields[1].id = -1;
    set_children(type, fields, 2);
    *ret = type;
    return close_bracket(p, angle);
}

static bool parse_row(struct parse *p, unsigned depth, const struct type **ret)
{
    struct type *type = new_type(p, TYPE_ROW);
    struct type_field *fields = NULL;
    size_t count = 0;
    bool angle;

    if (!open_bracket(p, &angle)) {
        return false;
    }
    do {
        struct type_field field = {.id = -1};

        if (!parse_name(p, &field.name) || !parse_child(p, depth, &field.type)) {
            return false;
        }
        fields = parse_grow(p->arena, fields, &count, sizeof *fields);
        fields[count - 1] = field;
    } while (parse_byte(p, ','));
    set_children(type, fields, count);
    *ret = type;
    return close_bracket(p, angle);
}

/* ---- all of them ---- */

static bool parse_unknown(struct parse *p)
{
    for (size_t i = 0; i < ARRAY_LEN(missing_types); i++) {
        if (parse_at_word(p, missing_types[i].name)) {
            return parse_failed(p, "0A000", "there are no columns of type %s",
                                missing_types[i].name) ||
                   parse_hint(p, missing_types[i].hint);
        }
    }
    if (p->token.kind != TOKEN_WORD) {
        return parse_expected(p, "a type");
    }
    return parse_failed(p, "42704", "type \"%.*s\" does not exist",
                        (int)(p->token.text.len < 60 ? p->token.text.len : 60),
                        (const char *)p->token.text.data);
}

static bool parse_simple(struct parse *p, const struct type **ret)
{
    struct type *type;

    for (size_t i = 0; i < ARRAY_LEN(known_types); i++) {
        if (parse_word(p, known_types[i].name)) {
            if (!parse_plain(p, &known_types[i], &type)) {
                return false;
            }
            *ret = type;
            return true;
        }
    }
    return parse_unknown(p);
}

static bool parse_at(struct parse *p, unsigned depth, const struct type **ret)
{
    bool right;

    if (depth > TYPE_DEPTH_MAX) {
        return parse_failed(p, "54001", "types are nested at most %d deep", TYPE_DEPTH_MAX);
    }
    if (parse_word(p, "array")) {
        right = parse_array(p, depth, ret);
    } else if (parse_word(p, "map")) {
        right = parse_map(p, depth, ret);
    } else if (parse_word(p, "row") || parse_word(p, "struct")) {
        right = parse_row(p, depth, ret);
    } else {
        right = parse_simple(p, ret);
    }
    while (right && parse_byte(p, '[')) {
        right = parse_need_byte(p, ']');
        *ret = array_of(p, *ret);
        if (++depth > TYPE_DEPTH_MAX) {
            return parse_failed(p, "54001", "types are nested at most %d deep", TYPE_DEPTH_MAX);
        }
    }
    return right;
}

bool parse_type(struct parse *p, const struct type **ret) { return parse_at(p, 1, ret); }
