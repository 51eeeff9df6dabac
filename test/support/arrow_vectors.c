/* Arrow layouts of textual types, see arrow_vectors.h. */
#include "arrow_vectors.h"

#include "unit.h"

#include <ctype.h>

struct taken {
    const char *word;
    struct arrow_column column;
};

/* Words that are no types of their own ("NOT NULL", "WITH LOCAL TIME ZONE") take nothing. */
static const struct taken table[] = {
    {"NOT", {0, 0}},  {"NULL", {0, 0}},   {"WITH", {0, 0}},  {"LOCAL", {0, 0}},
    {"ZONE", {0, 0}}, {"ARRAY", {1, 2}},  {"MAP", {2, 3}},   {"ROW", {1, 1}},
    {"CHAR", {1, 3}}, {"STRING", {1, 3}}, {"BYTES", {1, 3}},
};

static struct arrow_column take(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strlen(table[i].word) == len && memcmp(table[i].word, word, len) == 0) {
            return table[i].column;
        }
    }
    return (struct arrow_column){1, 2};
}

/* Sums up all type names in the text; field names stand between backticks. */
static struct arrow_column column_of(const char *type)
{
    struct arrow_column sum = {0, 0};
    bool quoted = false;

    for (const char *p = type; *p != '\0';) {
        size_t len = 0;

        while (isalpha((unsigned char)p[len])) {
            len++;
        }
        if (len > 0 && !quoted) {
            bool zone = strncmp(p, "TIME ZONE", 9) == 0;
            struct arrow_column one = zone ? (struct arrow_column){0, 0} : take(p, len);

            sum.nodes += one.nodes;
            sum.buffers += one.buffers;
        }
        quoted = *p == '`' ? !quoted : quoted;
        p += len > 0 ? len : 1;
    }
    return sum;
}

struct arrow_layout vector_layout(const json_t *schema, struct arena *arena)
{
    size_t count = json_array_size(schema);
    struct arrow_column *columns = arena_array(arena, count, sizeof *columns);

    for (size_t i = 0; i < count; i++) {
        columns[i] = column_of(vectors_text(json_array_get(schema, i), "type"));
    }
    return (struct arrow_layout){.columns = columns, .count = count};
}

struct bytes vector_message(const struct arrow_layout *layout, int32_t rows, size_t buffer_size,
                            struct arena *arena)
{
    struct arrow_metadata m = {.row_count = rows};
    size_t padded = (buffer_size + 7) / 8 * 8;
    struct arrow_writer w;
    size_t head;
    uint8_t *data;

    for (size_t i = 0; i < layout->count; i++) {
        m.node_count += layout->columns[i].nodes;
        m.buffer_count += layout->columns[i].buffers;
    }
    m.body_size = (int64_t)(padded * m.buffer_count);
    head = arrow_metadata_size(m.codec, m.node_count, m.buffer_count);
    data = arena_alloc(arena, head + (size_t)m.body_size);
    arrow_writer_begin(&w, data, &m);
    for (size_t i = 0; i < m.buffer_count; i++) {
        arrow_writer_buffer(&w, (int64_t)(i * padded), (int64_t)buffer_size);
        memset(data + head + i * padded, (int)i, padded);
    }
    arrow_writer_nodes(&w);
    for (size_t i = 0; i < m.node_count; i++) {
        arrow_writer_node(&w, rows, 0);
    }
    return bytes_of(data, head + (size_t)m.body_size);
}
