/* Data types, see type.h. All recursion here is over nested types, whose depth type_from_json
 * limits.
 */
#include "type.h"

#include <stdio.h>

struct root_names {
    const char *json;
    const char *text;
};

static const struct root_names root_names[TYPE_ROOT_COUNT] = {
#define X(root, json, text) [TYPE_##root] = {json, text},
    TYPE_ROOTS(X)
#undef X
};

struct range {
    int32_t low;
    int32_t high;
};

static enum errcode parse_type(const struct json *value, int depth, struct arena *arena,
                               const struct type **ret, struct error *e);
static enum errcode parse_parameters(const struct json *value, struct type *type, struct error *e);
static enum errcode parse_children(const struct json *value, int depth, struct arena *arena,
                                   struct type *type, struct error *e);

enum errcode type_from_json(const struct json *value, struct arena *arena, const struct type **ret,
                            struct error *e)
{
    return parse_type(value, 1, arena, ret, e);
}

static enum errcode parse_root(const struct json *value, enum type_root *ret, struct error *e)
{
    const char *name = NULL;

    TRY(json_get_string(value, "type", &name, e));
    for (int root = 0; root < TYPE_ROOT_COUNT; root++) {
        if (strcmp(root_names[root].json, name) == 0) {
            *ret = (enum type_root)root;
            return ERR_OK;
        }
    }
    return json_fail(value, e, "unknown data type \"%.80s\"", name);
}

static enum errcode parse_type(const struct json *value, int depth, struct arena *arena,
                               const struct type **ret, struct error *e)
{
    struct type *type = arena_new(arena, struct type);

    if (depth > TYPE_DEPTH_MAX) {
        return json_fail(value, e, "types are nested deeper than %d", TYPE_DEPTH_MAX);
    }
    type->nullable = true;
    TRY(parse_root(value, &type->root, e));
    TRY(json_opt_bool(value, "nullable", &type->nullable, e));
    TRY(parse_parameters(value, type, e));
    TRY(parse_children(value, depth, arena, type, e));
    *ret = type;
    return ERR_OK;
}

static enum errcode parse_parameter(const struct json *value, const char *key, struct range range,
                                    int32_t *ret, struct error *e)
{
    int32_t number = 0;

    TRY(json_get_i32(value, key, &number, e));
    if (number < range.low || number > range.high) {
        return json_fail(value, e, "%s %d is not within %d..%d", key, number, range.low,
                         range.high);
    }
    *ret = number;
    return ERR_OK;
}

static enum errcode parse_parameters(const struct json *value, struct type *type, struct error *e)
{
    switch (type->root) {
    case TYPE_CHAR:
    case TYPE_BINARY:
        return parse_parameter(value, "length", (struct range){1, INT32_MAX}, &type->length, e);
    case TYPE_DECIMAL:
        TRY(parse_parameter(value, "precision", (struct range){1, TYPE_PRECISION_MAX},
                            &type->precision, e));
        return parse_parameter(value, "scale", (struct range){0, type->precision}, &type->scale, e);
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_LTZ:
        return parse_parameter(value, "precision", (struct range){0, 9}, &type->precision, e);
    case TYPE_STRING:
    case TYPE_BOOLEAN:
    case TYPE_BYTES:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DATE:
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_ROOT_COUNT:
        break;
    }
    return ERR_OK;
}

static enum errcode parse_fields(const struct json *value, int depth, struct arena *arena,
                                 struct type *type, struct error *e)
{
    const struct json *list = NULL;
    struct type_field *fields;

    TRY(json_get_array(value, "fields", &list, e));
    fields = arena_array(arena, json_count(list), sizeof *fields);
    JSON_FOR_EACH(item, list)
    {
        struct type_field *field = &fields[type->count++];
        const struct json *inner = NULL;

        field->id = -1;
        TRY(json_get_string(item, "name", &field->name, e));
        TRY(json_get_object(item, "field_type", &inner, e));
        TRY(parse_type(inner, depth + 1, arena, &field->type, e));
        TRY(json_opt_string(item, "description", &field->description, e));
        TRY(json_opt_i32(item, "field_id", &field->id, e));
    }
    type->fields = fields;
    return ERR_OK;
}

/* Children that are members of the type object itself. */
static enum errcode parse_members(const struct json *value, int depth, struct arena *arena,
                                  struct type *type, struct error *e)
{
    static const char *const array_names[] = {"element", NULL};
    static const char *const map_names[] = {"key", "value", NULL};
    const char *const *names = type->root == TYPE_ARRAY ? array_names : map_names;
    struct type_field *fields = arena_array(arena, 2, sizeof *fields);

    for (; names[type->count] != NULL; type->count++) {
        struct type_field *field = &fields[type->count];
        const struct json *inner = NULL;
        char key[16];

        (void)snprintf(key, sizeof key, "%s_type", names[type->count]);
        field->name = names[type->count];
        field->id = -1;
        TRY(json_get_object(value, key, &inner, e));
        TRY(parse_type(inner, depth + 1, arena, &field->type, e));
    }
    if (type->root == TYPE_MAP) {
        fields[0].type = type_with_nullable(fields[0].type, false, arena);
    }
    type->fields = fields;
    return ERR_OK;
}

static enum errcode parse_children(const struct json *value, int depth, struct arena *arena,
                                   struct type *type, struct error *e)
{
    if (type->root == TYPE_ROW) {
        return parse_fields(value, depth, arena, type, e);
    }
    return type_is_nested(type) ? parse_members(value, depth, arena, type, e) : ERR_OK;
}

/* ---- writing ---- */

static void write_parameters(struct json_writer *w, const struct type *type)
{
    if (type->root == TYPE_CHAR || type->root == TYPE_BINARY) {
        json_write_int_member(w, "length", type->length);
    }
    if (type->root == TYPE_DECIMAL || type->root == TYPE_TIME || type->root == TYPE_TIMESTAMP ||
        type->root == TYPE_TIMESTAMP_LTZ) {
        json_write_int_member(w, "precision", type->precision);
    }
    if (type->root == TYPE_DECIMAL) {
        json_write_int_member(w, "scale", type->scale);
    }
}

static void write_row_fields(struct json_writer *w, const struct type *type)
{
    json_write_key(w, "fields");
    json_write_array(w);
    for (uint32_t i = 0; i < type->count; i++) {
        const struct type_field *field = &type->fields[i];

        json_write_object(w);
        json_write_string_member(w, "name", field->name);
        json_write_key(w, "field_type");
        type_write_json(w, field->type);
        if (field->description != NULL) {
            json_write_string_member(w, "description", field->description);
        }
        json_write_int_member(w, "field_id", field->id);
        json_write_end(w);
    }
    json_write_end(w);
}

void type_write_json(struct json_writer *w, const struct type *type)
{
    json_write_object(w);
    json_write_string_member(w, "type", root_names[type->root].json);
    if (!type->nullable) {
        json_write_bool_member(w, "nullable", false);
    }
    write_parameters(w, type);
    if (type->root == TYPE_ROW) {
        write_row_fields(w, type);
    } else if (type->root == TYPE_ARRAY) {
        json_write_key(w, "element_type");
        type_write_json(w, type->fields[0].type);
    } else if (type->root == TYPE_MAP) {
        json_write_key(w, "key_type");
        type_write_json(w, type->fields[0].type);
        json_write_key(w, "value_type");
        type_write_json(w, type->fields[1].type);
    }
    json_write_end(w);
}

/* ---- text ---- */

/* Appends and stays NUL-terminated; once full, nothing more fits. */
static void append(struct type_text *to, const char *text)
{
    size_t len = strlen(to->text);
    size_t more = strlen(text);

    if (len + more >= sizeof to->text) {
        more = sizeof to->text - 1 - len;
    }
    memcpy(to->text + len, text, more);
    to->text[len + more] = '\0';
}

static bool is_full(const struct type_text *to) { return strlen(to->text) == sizeof to->text - 1; }

static void append_parameters(struct type_text *to, const struct type *type)
{
    char text[32];

    if (type->root == TYPE_CHAR || type->root == TYPE_BINARY) {
        (void)snprintf(text, sizeof text, "(%d)", type->length);
    } else if (type->root == TYPE_DECIMAL) {
        (void)snprintf(text, sizeof text, "(%d, %d)", type->precision, type->scale);
    } else if (type->root == TYPE_TIME || type->root == TYPE_TIMESTAMP ||
               type->root == TYPE_TIMESTAMP_LTZ) {
        (void)snprintf(text, sizeof text, "(%d)", type->precision);
    } else {
        return;
    }
    append(to, text);
}

static void append_type(struct type_text *to, const struct type *type)
{
    append(to, root_names[type->root].text);
    append_parameters(to, type);
    if (type_is_nested(type)) {
        append(to, "<");
        for (uint32_t i = 0; i < type->count && !is_full(to); i++) {
            append(to, i == 0 ? "" : ", ");
            if (type->root == TYPE_ROW) {
                append(to, "`");
                append(to, type->fields[i].name);
                append(to, "` ");
            }
            append_type(to, type->fields[i].type);
        }
        append(to, ">");
    }
    append(to, type->nullable ? "" : " NOT NULL");
}

struct type_text type_text(const struct type *type)
{
    struct type_text to = {.text = ""};

    append_type(&to, type);
    if (is_full(&to)) {
        memcpy(to.text + sizeof to.text - 4, "...", 4);
    }
    return to;
}

/* ---- comparing, copying ---- */

bool type_equal(const struct type *a, const struct type *b)
{
    if (a->root != b->root || a->nullable != b->nullable || a->length != b->length ||
        a->precision != b->precision || a->scale != b->scale || a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            !type_equal(a->fields[i].type, b->fields[i].type)) {
            return false;
        }
    }
    return true;
}

static const char *copy_text(const char *text, struct arena *arena)
{
    return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

const struct type *type_copy(const struct type *type, struct arena *arena)
{
    struct type *copy = arena_new(arena, struct type);
    struct type_field *fields = arena_array(arena, type->count, sizeof *fields);

    *copy = *type;
    for (uint32_t i = 0; i < type->count; i++) {
        fields[i] = (struct type_field){
            .name = copy_text(type->fields[i].name, arena),
            .type = type_copy(type->fields[i].type, arena),
            .description = copy_text(type->fields[i].description, arena),
            .id = type->fields[i].id,
        };
    }
    copy->fields = fields;
    return copy;
}

const struct type *type_with_nullable(const struct type *type, bool nullable, struct arena *arena)
{
    struct type *copy;

    if (type->nullable == nullable) {
        return type;
    }
    copy = arena_new(arena, struct type);
    *copy = *type;
    copy->nullable = nullable;
    return copy;
}

const struct type *type_assign_ids(const struct type *type, bool only_missing, int32_t *highest,
                                   struct arena *arena)
{
    struct type *copy;
    struct type_field *fields;

    if (!type_is_nested(type)) {
        return type;
    }
    copy = arena_new(arena, struct type);
    fields = arena_array(arena, type->count, sizeof *fields);
    *copy = *type;
    for (uint32_t i = 0; i < type->count; i++) {
        fields[i] = type->fields[i];
        if (type->root == TYPE_ROW && (fields[i].id < 0 || !only_missing)) {
            fields[i].id = ++*highest;
        }
        fields[i].type = type_assign_ids(fields[i].type, only_missing, highest, arena);
    }
    copy->fields = fields;
    return copy;
}

void type_arrow_shape(const struct type *type, uint32_t *nodes, uint32_t *buffers)
{
    *nodes += 1;
    *buffers += type->root == TYPE_ROW ? 1
                : type->root == TYPE_STRING || type->root == TYPE_CHAR || type->root == TYPE_BYTES
                    ? 3
                    : 2;
    if (type->root == TYPE_MAP) { /* the struct "entries" around key and value */
        *nodes += 1;
        *buffers += 1;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        type_arrow_shape(type->fields[i].type, nodes, buffers);
    }
}
