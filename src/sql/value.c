#include "value.h"

#include "value_parts.h"

#include <stdlib.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26, /* the unsigned integer that PostgreSQL has */
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_VARCHAR = 1043,
    OID_BPCHAR = 1042,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_INTERVAL = 1186,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
};

static const struct known {
    int id;
    uint32_t oid;
    uint32_t array;
    int16_t size;
    const char *cast;
} knowns[] = {
    {DUCK_BOOLEAN, OID_BOOL, 1000, 1, "BOOLEAN"},
    {DUCK_TINYINT, OID_INT2, 1005, 2, "SMALLINT"},
    {DUCK_UTINYINT, OID_INT2, 1005, 2, "SMALLINT"},
    {DUCK_SMALLINT, OID_INT2, 1005, 2, "SMALLINT"},
    {DUCK_USMALLINT, OID_INT4, 1007, 4, "INTEGER"},
    {DUCK_INTEGER, OID_INT4, 1007, 4, "INTEGER"},
    {DUCK_UINTEGER, OID_OID, 1028, 4, "UINTEGER"},
    {DUCK_BIGINT, OID_INT8, 1016, 8, "BIGINT"},
    {DUCK_UBIGINT, OID_NUMERIC, 1231, -1, NULL},
    {DUCK_HUGEINT, OID_NUMERIC, 1231, -1, NULL},
    {DUCK_UHUGEINT, OID_NUMERIC, 1231, -1, NULL},
    {DUCK_DECIMAL, OID_NUMERIC, 1231, -1, NULL},
    {DUCK_FLOAT, OID_FLOAT4, 1021, 4, "FLOAT"},
    {DUCK_DOUBLE, OID_FLOAT8, 1022, 8, "DOUBLE"},
    {DUCK_VARCHAR, OID_TEXT, 1009, -1, "VARCHAR"},
    {DUCK_ENUM, OID_TEXT, 1009, -1, "VARCHAR"},
    {DUCK_SQLNULL, OID_TEXT, 1009, -1, "VARCHAR"},
    {DUCK_BLOB, OID_BYTEA, 1001, -1, "BLOB"},
    {DUCK_DATE, OID_DATE, 1182, 4, "DATE"},
    {DUCK_TIME, OID_TIME, 1183, 8, "TIME"},
    {DUCK_TIME_NS, OID_TIME, 1183, 8, "TIME"},
    {DUCK_TIMESTAMP, OID_TIMESTAMP, 1115, 8, "TIMESTAMP"},
    {DUCK_TIMESTAMP_S, OID_TIMESTAMP, 1115, 8, "TIMESTAMP"},
    {DUCK_TIMESTAMP_MS, OID_TIMESTAMP, 1115, 8, "TIMESTAMP"},
    {DUCK_TIMESTAMP_NS, OID_TIMESTAMP, 1115, 8, "TIMESTAMP"},
    {DUCK_TIMESTAMP_TZ, OID_TIMESTAMPTZ, 1185, 8, "TIMESTAMP WITH TIME ZONE"},
    {DUCK_INTERVAL, OID_INTERVAL, 1187, 16, "INTERVAL"},
    {DUCK_UUID, OID_UUID, 2951, 16, "UUID"},
};

static const struct known *known(int id)
{
    for (size_t i = 0; i < ARRAY_LEN(knowns); i++) {
        if (knowns[i].id == id) {
            return &knowns[i];
        }
    }
    return NULL;
}

static const char *array_cast(uint32_t oid)
{
    static const struct {
        uint32_t oid;
        const char *cast;
    } arrays[] = {
        {1000, "BOOLEAN[]"}, {1003, "VARCHAR[]"},  {1005, "SMALLINT[]"},
        {1007, "INTEGER[]"}, {1009, "VARCHAR[]"},  {1014, "VARCHAR[]"},
        {1015, "VARCHAR[]"}, {1016, "BIGINT[]"},   {1021, "FLOAT[]"},
        {1022, "DOUBLE[]"},  {1028, "UINTEGER[]"}, {1115, "TIMESTAMP[]"},
        {1182, "DATE[]"},    {1183, "TIME[]"},     {1185, "TIMESTAMP WITH TIME ZONE[]"},
        {2951, "UUID[]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        if (arrays[i].oid == oid) {
            return arrays[i].cast;
        }
    }
    return NULL;
}

const char *value_type_cast(uint32_t oid)
{
    if (oid == OID_VARCHAR || oid == OID_BPCHAR) {
        return "VARCHAR";
    }
    for (size_t i = 0; i < ARRAY_LEN(knowns); i++) {
        if (knowns[i].oid == oid) {
            return knowns[i].cast;
        }
    }
    return array_cast(oid);
}

uint32_t value_parameter_oid(int duck_type)
{
    const struct known *k = known(duck_type);

    return k == NULL || duck_type == DUCK_SQLNULL ? 0 : k->oid;
}

int16_t value_type_size(const struct sql_type *type)
{
    const struct known *k = known(type->id);

    return k == NULL ? -1 : k->size;
}

int32_t value_type_modifier(const struct sql_type *type)
{
    return type->id == DUCK_DECIMAL ? ((type->width << 16) | type->scale) + 4 : -1;
}

/* ---- types ---- */

struct making {
    const struct duckdb *duckdb;
    struct arena *arena;
    unsigned depth;
};

static enum errcode make(struct making m, void *logical, struct sql_type *ret, struct error *e);

static enum errcode make_field(struct making m, void *logical, struct sql_type *ret,
                               struct error *e)
{
    const struct duckdb *d = m.duckdb;
    const char *name = ret->name;
    enum errcode code = make(m, logical, ret, e);

    ret->name = name;
    if (ret->logical == NULL) {
        d->destroy_logical_type(&logical);
    }
    return code;
}

static enum errcode make_struct(struct making m, void *logical, struct sql_type *ret,
                                struct error *e)
{
    const struct duckdb *d = m.duckdb;
    ret->count = d->struct_type_child_count(logical);
    ret->fields = arena_array(m.arena, ret->count + 1, sizeof *ret->fields);
    for (size_t i = 0; i < ret->count; i++) {
        char *name = d->struct_type_child_name(logical, i);

        ret->fields[i].name = arena_strndup(m.arena, name, strlen(name));
        d->free(name);
        TRY(make_field(m, d->struct_type_child_type(logical, i), &ret->fields[i], e));
    }
    return ERR_OK;
}

static enum errcode make_nested(struct making m, void *logical, struct sql_type *ret,
                                struct error *e)
{
    const struct duckdb *d = m.duckdb;
    ret->oid = OID_JSON;
    if (m.depth > VALUE_DEPTH_MAX) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "a type is nested too deeply");
    }
    if (ret->id == DUCK_STRUCT) {
        return make_struct(m, logical, ret, e);
    }
    ret->count = ret->id == DUCK_MAP ? 2 : 1;
    ret->fields = arena_array(m.arena, 2, sizeof *ret->fields);
    if (ret->id == DUCK_MAP) {
        TRY(make_field(m, d->map_type_key_type(logical), &ret->fields[0], e));
        return make_field(m, d->map_type_value_type(logical), &ret->fields[1], e);
    }
    if (ret->id == DUCK_ARRAY) {
        ret->length = d->array_type_array_size(logical);
        TRY(make_field(m, d->array_type_child_type(logical), &ret->fields[0], e));
    } else {
        TRY(make_field(m, d->list_type_child_type(logical), &ret->fields[0], e));
    }
    if (known(ret->fields[0].id) != NULL) {
        ret->oid = known(ret->fields[0].id)->array;
    }
    return ERR_OK;
}

static enum errcode make(struct making m, void *logical, struct sql_type *ret, struct error *e)
{
    const struct duckdb *d = m.duckdb;
    const struct known *k;

    *ret = (struct sql_type){.id = d->get_type_id(logical)};
    k = known(ret->id);
    ret->storage = ret->id;
    if (k == NULL) {
        if (ret->id != DUCK_LIST && ret->id != DUCK_ARRAY && ret->id != DUCK_STRUCT &&
            ret->id != DUCK_MAP) {
            return error_set(e, ERR_UNSUPPORTED_OPERATION,
                             "a column has a type that PostgreSQL has not: cast it to VARCHAR");
        }
        return make_nested((struct making){d, m.arena, m.depth + 1}, logical, ret, e);
    }
    ret->oid = k->oid;
    if (ret->id == DUCK_DECIMAL) {
        ret->width = d->decimal_width(logical);
        ret->scale = d->decimal_scale(logical);
        ret->storage = ret->width <= 4    ? DUCK_SMALLINT
                       : ret->width <= 9  ? DUCK_INTEGER
                       : ret->width <= 18 ? DUCK_BIGINT
                                          : DUCK_HUGEINT;
    } else if (ret->id == DUCK_ENUM) {
        ret->storage = d->enum_internal_type(logical);
        ret->logical = logical;
    }
    return ERR_OK;
}

enum errcode value_type_make(const struct duckdb *d, void *logical, struct arena *arena,
                             struct sql_type *ret, struct error *e)
{
    return make_field((struct making){d, arena, 0}, logical, ret, e);
}

bool value_type_equal(const struct sql_type *a, const struct sql_type *b)
{
    bool equal = a->id == b->id && a->storage == b->storage && a->width == b->width &&
                 a->scale == b->scale && a->length == b->length && a->count == b->count;

    for (size_t i = 0; equal && i < a->count; i++) {
        equal = value_type_equal(&a->fields[i], &b->fields[i]);
    }
    return equal;
}

void value_type_fini(const struct duckdb *d, struct sql_type *type)
{
    for (size_t i = 0; type->fields != NULL && i < type->count; i++) {
        value_type_fini(d, &type->fields[i]);
    }
    if (type->logical != NULL) {
        d->destroy_logical_type(&type->logical);
    }
}

/* ---- access ---- */

static const void *data_of(const struct sql_value *v)
{
    return v->plain != NULL ? v->plain : v->duckdb->vector_get_data(v->vector);
}

static bool is_null(const struct sql_value *v)
{
    const uint64_t *validity = v->plain != NULL ? NULL : v->duckdb->vector_get_validity(v->vector);

    return v->type->id == DUCK_SQLNULL ||
           (validity != NULL && (validity[v->row / 64] >> v->row % 64 & 1) == 0);
}

static __int128 read_integer(const struct sql_value *v)
{
    const void *data = data_of(v);
    size_t row = v->row;
    __int128 huge;

    switch (v->type->storage) {
    case DUCK_BOOLEAN:
    case DUCK_UTINYINT:
        return ((const uint8_t *)data)[row];
    case DUCK_TINYINT:
        return ((const int8_t *)data)[row];
    case DUCK_SMALLINT:
        return ((const int16_t *)data)[row];
    case DUCK_USMALLINT:
        return ((const uint16_t *)data)[row];
    case DUCK_INTEGER:
    case DUCK_DATE:
        return ((const int32_t *)data)[row];
    case DUCK_UINTEGER:
        return ((const uint32_t *)data)[row];
    case DUCK_UBIGINT:
        return ((const uint64_t *)data)[row];
    case DUCK_HUGEINT:
    case DUCK_UHUGEINT:
    case DUCK_UUID:
        memcpy(&huge, (const uint8_t *)data + row * sizeof huge, sizeof huge);
        return huge;
    default:
        return ((const int64_t *)data)[row];
    }
}

static struct bytes read_bytes(const struct sql_value *v)
{
    return duck_string_bytes((const struct duck_string *)data_of(v) + v->row);
}

/* Times and timestamps in microseconds. */
static int64_t read_micros(const struct sql_value *v)
{
    int64_t value = (int64_t)read_integer(v);

    switch (v->type->id) {
    case DUCK_TIMESTAMP_S:
        return parts_scale(value, 1000000);
    case DUCK_TIMESTAMP_MS:
        return parts_scale(value, 1000);
    case DUCK_TIMESTAMP_NS:
    case DUCK_TIME_NS:
        return value == INT64_MAX || value == -INT64_MAX ? value
                                                         : value / 1000 - (value % 1000 < 0);
    default:
        return value;
    }
}

static double read_real(const struct sql_value *v)
{
    const void *data = data_of(v);

    return v->type->id == DUCK_FLOAT ? (double)((const float *)data)[v->row]
                                     : ((const double *)data)[v->row];
}

/* ---- text ---- */

static void text_enum(const struct sql_value *v, struct buffer *out)
{
    char *word = v->duckdb->enum_dictionary_value(v->type->logical, (uint64_t)read_integer(v));

    buffer_bytes(out, bytes_str(word));
    v->duckdb->free(word);
}

/* A value that is neither null nor nested. */
static void text_scalar(const struct sql_value *v, struct buffer *out)
{
    switch (v->type->id) {
    case DUCK_BOOLEAN:
        buffer_u8(out, read_integer(v) != 0 ? 't' : 'f');
        return;
    case DUCK_FLOAT:
    case DUCK_DOUBLE:
        parts_real(read_real(v), v->type->id == DUCK_FLOAT, out);
        return;
    case DUCK_VARCHAR:
        buffer_bytes(out, read_bytes(v));
        return;
    case DUCK_ENUM:
        text_enum(v, out);
        return;
    case DUCK_BLOB:
        parts_hex(read_bytes(v), out);
        return;
    case DUCK_DATE:
        parts_date((int32_t)read_integer(v), out);
        return;
    case DUCK_TIME:
    case DUCK_TIME_NS:
        parts_time(read_micros(v), out);
        return;
    case DUCK_TIMESTAMP:
    case DUCK_TIMESTAMP_S:
    case DUCK_TIMESTAMP_MS:
    case DUCK_TIMESTAMP_NS:
    case DUCK_TIMESTAMP_TZ:
        parts_timestamp(read_micros(v), v->type->id == DUCK_TIMESTAMP_TZ, out);
        return;
    case DUCK_INTERVAL:
        parts_interval((const struct duck_interval *)v->duckdb->vector_get_data(v->vector) + v->row,
                       out);
        return;
    case DUCK_UUID:
        parts_uuid((unsigned __int128)read_integer(v), out);
        return;
    default:
        parts_decimal(read_integer(v), v->type->id == DUCK_UHUGEINT, v->type->scale, out);
        return;
    }
}

/* The elements of a list as a value of the first and how many follow. */
static struct sql_value elements(const struct sql_value *v, size_t *ret_count)
{
    struct sql_value first = {.duckdb = v->duckdb, .type = &v->type->fields[0]};

    if (v->type->id == DUCK_ARRAY) {
        first.vector = v->duckdb->array_vector_get_child(v->vector);
        first.row = v->row * v->type->length;
        *ret_count = v->type->length;
    } else {
        const struct duck_list *list =
            (const struct duck_list *)v->duckdb->vector_get_data(v->vector) + v->row;

        first.vector = v->duckdb->list_vector_get_child(v->vector);
        first.row = list->offset;
        *ret_count = list->len;
    }
    return first;
}

static void json(const struct sql_value *v, struct buffer *out);

static void json_list(const struct sql_value *v, struct buffer *out)
{
    size_t count;
    struct sql_value item = elements(v, &count);

    buffer_u8(out, '[');
    for (size_t i = 0; i < count; i++, item.row++) {
        if (i > 0) {
            buffer_u8(out, ',');
        }
        json(&item, out);
    }
    buffer_u8(out, ']');
}

static void json_struct(const struct sql_value *v, struct buffer *out)
{
    buffer_u8(out, '{');
    for (size_t i = 0; i < v->type->count; i++) {
        struct sql_value item = {.duckdb = v->duckdb,
                                 .type = &v->type->fields[i],
                                 .vector = v->duckdb->struct_vector_get_child(v->vector, i),
                                 .row = v->row};

        if (i > 0) {
            buffer_u8(out, ',');
        }
        parts_json_string(bytes_str(item.type->name), out);
        buffer_u8(out, ':');
        json(&item, out);
    }
    buffer_u8(out, '}');
}

static void json_map(const struct sql_value *v, struct buffer *out)
{
    OWNED(buffer_fini) struct buffer key = BUFFER_INIT;
    size_t count;
    struct sql_value entry = elements(v, &count);

    buffer_u8(out, '{');
    for (size_t i = 0; i < count; i++) {
        struct sql_value item = entry;

        item.vector = v->duckdb->struct_vector_get_child(entry.vector, 0);
        item.row = entry.row + i;
        buffer_clear(&key);
        (void)value_text(&item, &key);
        if (i > 0) {
            buffer_u8(out, ',');
        }
        parts_json_string(buffer_view(&key), out);
        buffer_u8(out, ':');
        item.type = &v->type->fields[1];
        item.vector = v->duckdb->struct_vector_get_child(entry.vector, 1);
        json(&item, out);
    }
    buffer_u8(out, '}');
}

static bool is_bare_in_json(const struct sql_value *v)
{
    int id = v->type->id;

    return (id >= DUCK_TINYINT && id <= DUCK_UBIGINT) || id == DUCK_HUGEINT ||
           id == DUCK_UHUGEINT || id == DUCK_DECIMAL ||
           ((id == DUCK_FLOAT || id == DUCK_DOUBLE) && parts_is_finite(read_real(v)));
}

static void json(const struct sql_value *v, struct buffer *out)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    if (is_null(v)) {
        buffer_bytes(out, bytes_str("null"));
    } else if (v->type->id == DUCK_LIST || v->type->id == DUCK_ARRAY) {
        json_list(v, out);
    } else if (v->type->id == DUCK_STRUCT) {
        json_struct(v, out);
    } else if (v->type->id == DUCK_MAP) {
        json_map(v, out);
    } else if (v->type->id == DUCK_BOOLEAN) {
        buffer_bytes(out, bytes_str(read_integer(v) != 0 ? "true" : "false"));
    } else if (is_bare_in_json(v)) {
        text_scalar(v, out);
    } else {
        text_scalar(v, &text);
        parts_json_string(buffer_view(&text), out);
    }
}

static void text_array(const struct sql_value *v, struct buffer *out)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;
    size_t count;
    struct sql_value item = elements(v, &count);

    buffer_u8(out, '{');
    for (size_t i = 0; i < count; i++, item.row++) {
        if (i > 0) {
            buffer_u8(out, ',');
        }
        if (is_null(&item)) {
            buffer_bytes(out, bytes_str("NULL"));
            continue;
        }
        buffer_clear(&text);
        text_scalar(&item, &text);
        parts_array_element(buffer_view(&text), out);
    }
    buffer_u8(out, '}');
}

bool value_text(const struct sql_value *v, struct buffer *out)
{
    if (is_null(v)) {
        return false;
    }
    if (v->type->oid == OID_JSON) {
        json(v, out);
    } else if (v->type->count > 0) {
        text_array(v, out);
    } else {
        text_scalar(v, out);
    }
    return true;
}

/* ---- binary ---- */

static void binary_scalar(const struct sql_value *v, struct buffer *out);

static void binary_array(const struct sql_value *v, struct buffer *out)
{
    size_t count;
    struct sql_value item = elements(v, &count);
    bool nulls = false;

    for (size_t i = 0; i < count && !nulls; i++) {
        struct sql_value at = item;

        at.row += i;
        nulls = is_null(&at);
    }
    parts_u32be(count > 0 ? 1 : 0, out);
    parts_u32be(nulls, out);
    parts_u32be(item.type->oid, out);
    if (count > 0) {
        parts_u32be((uint32_t)count, out);
        parts_u32be(1, out);
    }
    for (size_t i = 0; i < count; i++, item.row++) {
        size_t start = out->len;

        parts_u32be(UINT32_MAX, out);
        if (!is_null(&item)) {
            binary_scalar(&item, out);
            put_u32be(out->data + start, (uint32_t)(out->len - start - 4));
        }
    }
}

static void binary_scalar(const struct sql_value *v, struct buffer *out)
{
    OWNED(buffer_fini) struct buffer text = BUFFER_INIT;

    switch (v->type->oid) {
    case OID_BOOL:
        buffer_u8(out, read_integer(v) != 0);
        return;
    case OID_INT2:
        put_i16be(buffer_room(out, 2), (int16_t)read_integer(v));
        return;
    case OID_INT4:
        put_i32be(buffer_room(out, 4), (int32_t)read_integer(v));
        return;
    case OID_INT8:
        put_i64be(buffer_room(out, 8), (int64_t)read_integer(v));
        return;
    case OID_OID:
        parts_u32be((uint32_t)read_integer(v), out);
        return;
    case OID_FLOAT4:
    case OID_FLOAT8:
        parts_real_binary(read_real(v), v->type->oid == OID_FLOAT4, out);
        return;
    case OID_BYTEA:
        buffer_bytes(out, read_bytes(v));
        return;
    case OID_DATE:
        put_i32be(buffer_room(out, 4), parts_pg_date((int32_t)read_integer(v)));
        return;
    case OID_TIME:
        put_i64be(buffer_room(out, 8), read_micros(v));
        return;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        put_i64be(buffer_room(out, 8), parts_pg_timestamp(read_micros(v)));
        return;
    case OID_INTERVAL:
        parts_interval_binary(
            (const struct duck_interval *)v->duckdb->vector_get_data(v->vector) + v->row, out);
        return;
    case OID_UUID:
        parts_uuid_binary((unsigned __int128)read_integer(v), out);
        return;
    case OID_NUMERIC:
        text_scalar(v, &text);
        buffer_u8(&text, '\0');
        value_numeric_binary((const char *)text.data, out);
        return;
    default:
        text_scalar(v, out);
        return;
    }
}

bool value_binary(const struct sql_value *v, struct buffer *out)
{
    if (is_null(v)) {
        return false;
    }
    if (v->type->oid == OID_JSON) {
        json(v, out);
    } else if (v->type->count > 0) {
        binary_array(v, out);
    } else {
        binary_scalar(v, out);
    }
    return true;
}
