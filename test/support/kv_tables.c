/* Primary-key tables for tests, see kv_tables.h. */
#include "kv_tables.h"

#include "unit.h"

#include <stdlib.h>

/* ---- tables ---- */

static void write_column(struct json_writer *w, const struct test_column *column, size_t id,
                         struct arena *arena)
{
    json_write_object(w);
    json_write_string_member(w, "name", column->name);
    json_write_key(w, "data_type");
    type_write_json(w, row_vector_type(column->type, arena));
    if (column->agg != NULL) {
        json_write_key(w, "agg_function");
        json_write_object(w);
        json_write_string_member(w, "type", column->agg);
        if (column->delimiter != NULL) {
            json_write_key(w, "parameters");
            json_write_object(w);
            json_write_string_member(w, "delimiter", column->delimiter);
            json_write_end(w);
        }
        json_write_end(w);
    }
    json_write_int_member(w, "id", (int64_t)id);
    json_write_end(w);
}

struct schema *test_schema(const struct test_column *columns, size_t count, size_t key_count,
                           const char *auto_increment)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct schema *schema = NULL;
    struct json_writer w;
    struct error e = {0};

    json_writer_init(&w, &arena);
    json_write_object(&w);
    json_write_int_member(&w, "version", 1);
    json_write_key(&w, "columns");
    json_write_array(&w);
    for (size_t i = 0; i < count; i++) {
        write_column(&w, &columns[i], i, &arena);
    }
    json_write_end(&w);
    json_write_key(&w, "primary_key");
    json_write_array(&w);
    for (size_t i = 0; i < key_count; i++) {
        json_write_string(&w, columns[i].name);
    }
    json_write_end(&w);
    if (auto_increment != NULL) {
        json_write_key(&w, "auto_increment_column");
        json_write_array(&w);
        json_write_string(&w, auto_increment);
        json_write_end(&w);
    }
    json_write_int_member(&w, "highest_field_id", (int64_t)count - 1);
    json_write_end(&w);
    if (schema_parse(json_writer_text(&w), &schema, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return schema;
}

struct table_options test_options(struct arena *arena, const char *const *properties, size_t count)
{
    struct text_pair *pairs = arena_array(arena, count, sizeof *pairs);
    struct table_options options;
    struct error e = {0};

    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(properties[i], "=");

        pairs[i] = (struct text_pair){.key = arena_strndup(arena, properties[i], len),
                                      .value = properties[i] + len + 1};
    }
    if (table_options_parse((struct text_map){pairs, count}, &options, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return options;
}

/* ---- values ---- */

static struct test_value *find(const struct test_store *s, struct bytes key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (bytes_equal(buffer_view(&s->items[i].key), key)) {
            return &s->items[i];
        }
    }
    return NULL;
}

void test_store_fini(struct test_store *s)
{
    for (size_t i = 0; i < s->count; i++) {
        buffer_fini(&s->items[i].key);
        buffer_fini(&s->items[i].value);
    }
    free(s->items);
    *s = (struct test_store){0};
}

struct bytes test_store_get(const struct test_store *s, struct bytes key)
{
    const struct test_value *item = find(s, key);

    return item == NULL ? BYTES_EMPTY : buffer_view(&item->value);
}

void test_store_put(struct test_store *s, struct bytes key, struct bytes value)
{
    struct test_value *item = find(s, key);

    if (item == NULL) {
        if (s->count == s->cap) {
            s->cap = s->cap == 0 ? 16 : s->cap * 2;
            s->items = mem_realloc(s->items, s->cap * sizeof *s->items);
        }
        item = &s->items[s->count++];
        *item = (struct test_value){0};
        buffer_bytes(&item->key, key);
    }
    buffer_clear(&item->value);
    buffer_bytes(&item->value, value);
}

size_t test_store_count(const struct test_store *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        count += s->items[i].value.len > 0;
    }
    return count;
}
