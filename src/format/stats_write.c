/* Writing column statistics; rules in stats_write.h. */
#include "stats_write.h"

#include "arrow_nodes.h"
#include "key_codec.h"
#include "row_codec.h"
#include "value.h"

#include <stdlib.h>

#define STATS_VERSION   1
#define NULL_BITS_FIRST 8 /* of an aligned row, behind the row kind */

/* A value as it is written, and as it is compared. */
struct stats_bound {
    struct row_value row;
    struct value value; /* VALUE_NULL: there is none yet */
};

struct stats_field {
    uint32_t position;
    const struct type *type;
    bool unknown; /* no bounds are written */
    int32_t nulls;
    struct stats_bound min;
    struct stats_bound max;
};

struct stats_writer {
    size_t count;
    struct stats_field fields[];
};

/* ---- which columns ---- */

static bool has_statistics(const struct type *type)
{
    return !type_is_nested(type) && type->root != TYPE_BINARY && type->root != TYPE_BYTES;
}

static struct bytes trimmed(struct bytes text)
{
    while (text.len > 0 && text.data[0] == ' ') {
        text = bytes_slice(text, 1, text.len - 1);
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

/* Count and positions are 16 bits in the section. */
static void take(const struct schema *schema, int64_t at, uint32_t *positions, size_t *count)
{
    if (at >= 0 && at <= INT16_MAX && *count < INT16_MAX &&
        has_statistics(schema->columns[at].type)) {
        positions[(*count)++] = (uint32_t)at;
    }
}

static struct stats_columns all_columns(const struct schema *schema, struct arena *arena)
{
    uint32_t *positions = arena_array(arena, schema->count, sizeof *positions);
    struct stats_columns ret = {.positions = positions};

    for (uint32_t i = 0; i < schema->count; i++) {
        take(schema, i, positions, &ret.count);
    }
    return ret;
}

static size_t list_length(const char *list)
{
    size_t count = 1;

    for (; *list != '\0'; list++) {
        count += *list == ',';
    }
    return count;
}

struct stats_columns stats_columns_of(const char *option, const struct schema *schema,
                                      struct arena *arena)
{
    struct stats_columns ret = {0};
    uint32_t *positions;

    if (option == NULL) {
        return ret;
    }
    if (bytes_equal_str(trimmed(bytes_str(option)), "*")) {
        return all_columns(schema, arena);
    }
    positions = arena_array(arena, list_length(option), sizeof *positions);
    while (*option != '\0') {
        size_t len = strcspn(option, ",");
        struct bytes name = trimmed(bytes_of(option, len));
        const char *text = arena_strndup(arena, name.data, name.len);

        take(schema, schema_find(schema, text), positions, &ret.count);
        option += len + (option[len] == ',');
    }
    ret.positions = positions;
    return ret;
}

/* ---- rows ---- */

struct stats_writer *stats_writer_new(const struct type *row, const struct stats_columns *columns)
{
    struct stats_writer *w = mem_zalloc(sizeof *w + columns->count * sizeof(struct stats_field));

    ASSERT(columns->count > 0 && columns->count <= INT16_MAX);
    w->count = columns->count;
    for (size_t i = 0; i < w->count; i++) {
        const struct type *type = row->fields[columns->positions[i]].type;

        w->fields[i] = (struct stats_field){
            .position = columns->positions[i], .type = type, .unknown = type->root == TYPE_CHAR};
    }
    return w;
}

void stats_writer_free(struct stats_writer *w) { free(w); }

void stats_writer_freep(struct stats_writer **w) { stats_writer_free(*w); }

static bool scales(int64_t number, struct arrow_unit unit)
{
    return !__builtin_mul_overflow(number, (int64_t)unit.multiply, &number);
}

/* Cuts off what the column does not store. false: it stores something else. */
static bool take_time(const struct type *type, struct row_value *v)
{
    struct arrow_unit unit = arrow_unit(type);
    int32_t below = unit.multiply <= 1 ? 1000000 : 1000000 / unit.multiply;

    if (type->root == TYPE_TIME) {
        v->integer = v->integer / unit.divide * unit.divide;
        return true;
    }
    v->timestamp.millis = v->timestamp.millis / unit.divide * unit.divide;
    v->timestamp.nanos = v->timestamp.nanos / below * below;
    return v->timestamp.millis < INT64_MAX && scales(v->timestamp.millis + 1, unit) &&
           scales(v->timestamp.millis, unit);
}

static struct value value_of(const struct type *type, const struct row_value *v)
{
    struct value ret = {.kind = VALUE_NULL};

    if (!value_kind_of(type, &ret.kind)) {
        return ret;
    }
    switch (ret.kind) {
    case VALUE_INT:
        ret.integer = type->root == TYPE_BOOLEAN ? v->boolean : v->integer;
        break;
    case VALUE_REAL:
        ret.real = type->root == TYPE_FLOAT ? (double)v->real32 : v->real64;
        break;
    case VALUE_DECIMAL:
        if (type_is_compact_decimal(type)) {
            ret.unscaled = v->integer;
        } else if (!value_decimal_be(v->bytes, &ret)) {
            ret.kind = VALUE_NULL;
        }
        break;
    case VALUE_TIMESTAMP:
        ret.timestamp.millis = v->timestamp.millis;
        ret.timestamp.nanos = v->timestamp.nanos;
        break;
    case VALUE_BYTES:
        ret.bytes = v->bytes;
        break;
    case VALUE_NULL:
        break;
    }
    return ret;
}

static void add_value(struct stats_field *f, const struct row_value *value)
{
    struct stats_bound b = {.row = *value};

    if ((f->type->root == TYPE_TIME || row_is_timestamp(f->type)) && !take_time(f->type, &b.row)) {
        f->unknown = true;
        return;
    }
    b.value = value_of(f->type, &b.row);
    if (b.value.kind == VALUE_NULL) {
        f->unknown = true;
        return;
    }
    if (f->min.value.kind == VALUE_NULL || value_compare(&b.value, &f->min.value) < 0) {
        f->min = b;
    }
    if (f->max.value.kind == VALUE_NULL || value_compare(&b.value, &f->max.value) > 0) {
        f->max = b;
    }
}

void stats_writer_add(struct stats_writer *w, const struct row_value *row)
{
    for (size_t i = 0; i < w->count; i++) {
        struct stats_field *f = &w->fields[i];
        const struct row_value *value = &row[f->position];

        if (value->null) {
            f->nulls++;
        } else if (!f->unknown) {
            add_value(f, value);
        }
    }
}

/* ---- the section ---- */

/* Keys of Paimon are aligned rows without nulls. What is null stands in them as a plain 0, and gets
 * its bit here. */
static struct bytes bound_row(const struct stats_writer *w, bool max, struct arena *arena)
{
    static const struct type plain = {.root = TYPE_BIGINT};
    struct type_field *fields = arena_array(arena, w->count, sizeof *fields);
    struct row_value *values = arena_array(arena, w->count, sizeof *values);
    struct type row = {.root = TYPE_ROW, .count = (uint32_t)w->count, .fields = fields};
    size_t head = (NULL_BITS_FIRST + w->count + 7) / 8;
    uint8_t *nulls = arena_zalloc(arena, head);
    struct bytes bytes;

    for (size_t i = 0; i < w->count; i++) {
        const struct stats_field *f = &w->fields[i];
        const struct stats_bound *bound = max ? &f->max : &f->min;
        bool null = f->unknown || bound->value.kind == VALUE_NULL;

        fields[i].type = null ? &plain : f->type;
        values[i] = null ? (struct row_value){0} : bound->row;
        nulls[(NULL_BITS_FIRST + i) / 8] |= (uint8_t)(null << i % 8);
    }
    bytes = key_paimon_encode(&row, values, arena);
    memcpy((uint8_t *)(uintptr_t)bytes.data, nulls, head);
    return bytes;
}

struct bytes stats_writer_section(const struct stats_writer *w, struct arena *arena)
{
    struct bytes min = bound_row(w, false, arena);
    struct bytes max = bound_row(w, true, arena);
    size_t size = 3 + 6 * w->count + 4 + min.len + 4 + max.len;
    struct writer out = writer_of(arena_alloc(arena, size), size);

    writer_u8(&out, STATS_VERSION);
    writer_i16le(&out, (int16_t)w->count);
    for (size_t i = 0; i < w->count; i++) {
        writer_u16le(&out, (uint16_t)w->fields[i].position);
    }
    for (size_t i = 0; i < w->count; i++) {
        writer_i32le(&out, w->fields[i].nulls);
    }
    writer_u32le(&out, (uint32_t)min.len);
    writer_bytes(&out, min);
    writer_u32le(&out, (uint32_t)max.len);
    writer_bytes(&out, max);
    ASSERT(out.len == size);
    return bytes_of(out.data, size);
}
