/* INSERT, UPDATE, DELETE, COPY and SHOW as texts: what of them is not left to DuckDB. A statement that is
 * understood names columns of a table that there is, each once, and becomes a query; one that is not has
 * a state and a place in the text. */
#include "catalog_table.h"

#include "base/utf8.h"
#include "sql/copy.h"
#include "sql/insert_list.h"
#include "sql/returning.h"
#include "sql/show.h"

#define COLUMN(name, type) "{\"name\":\"" name "\",\"data_type\":" type "}"
#define PLAIN(root)        "{\"type\":\"" root "\",\"nullable\":false}"
/* clang-format off */
#define TABLE(columns, primary_key, partition_key)                                                 \
    "{\"schema\":{\"columns\":[" columns "]" primary_key "},\"partition_key\":[" partition_key     \
    "],\"bucket_key\":[\"a\"],\"bucket_count\":3,\"properties\":{},\"custom_properties\":{}}"
#define COLUMNS                                                                                    \
    COLUMN("a", PLAIN("INTEGER")) "," COLUMN("b", PLAIN("STRING")) "," COLUMN("C", PLAIN("BYTES")) \
    "," COLUMN("d", "{\"type\":\"ARRAY\",\"element_type\":" PLAIN("BIGINT") "}")
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct meta_view *catalog(void)
{
    static struct meta_view *view;
    static const struct znode_database fluss;

    if (view == NULL) {
        view = view_edit(NULL);
        view_put_database(view, load_database("fluss", &fluss));
        view_put_table(view, fuzz_catalog_table("l", 1, TABLE(COLUMNS, "", "")));
        view_put_table(
            view,
            fuzz_catalog_table("k", 2, TABLE(COLUMNS, ",\"primary_key\":[\"a\",\"b\"]", "\"b\"")));
    }
    return view;
}

static void check_error(const struct sql_error *e, struct bytes text)
{
    ASSERT(strlen(e->state) == 5 && e->message[0] != '\0' && e->position <= text.len + 1);
}

static void check_dml(struct dml *dml, struct arena *arena)
{
    const struct schema *schema = meta_table_latest(dml->table)->schema;
    struct sql_error e;

    ASSERT(dml->column_count > 0 && dml->column_count <= schema->count);
    for (size_t i = 0; i < dml->column_count; i++) {
        ASSERT(dml->columns[i] >= 0 && (uint32_t)dml->columns[i] < schema->count);
        for (size_t k = 0; k < i; k++) {
            ASSERT(dml->columns[i] != dml->columns[k]);
        }
    }
    ASSERT(dml->query != NULL && utf8_valid(bytes_str(dml->query)));
    if (dml->query_is_plain) {
        insert_list_cast(dml, arena);
        ASSERT(utf8_valid(bytes_str(dml->query)));
        IGNORE(dml_wrap(dml, 2, arena, &e));
    }
    if (dml->returning != NULL && returning_wrap(dml, arena, &e)) {
        ASSERT(utf8_valid(bytes_str(dml->query)));
    }
}

static void as_dml(struct bytes text, struct sql_session *s, struct arena *arena)
{
    struct dml dml = {.table = NULL};
    struct sql_error e = {.position = 0};

    if (dml_parse(text, s, arena, &dml, &e)) {
        ASSERT(dml_is(text));
        check_dml(&dml, arena);
    } else {
        check_error(&e, text);
    }
    dml_fini(&dml);
}

static void as_copy(struct bytes text, struct sql_session *s, struct arena *arena)
{
    struct copy copy = {.from = false};
    struct sql_error e = {.position = 0};

    if (copy_parse(text, s, arena, &copy, &e)) {
        ASSERT(copy_is(text));
        ASSERT(copy.query != NULL ? utf8_valid(bytes_str(copy.query))
                                  : copy.from && copy.format.kind == COPY_KIND_PARQUET);
    } else {
        check_error(&e, text);
    }
    dml_fini(&copy.dml);
}

static void as_show(struct bytes text, struct sql_session *s, struct arena *arena)
{
    struct sql_error e = {.position = 0};
    const char *query = NULL;

    if (show_query(text, s, arena, &query, &e)) {
        ASSERT(query != NULL && utf8_valid(bytes_str(query)));
    } else {
        check_error(&e, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *path[] = {(char *)(uintptr_t) "fluss"};
    struct sql_session s = {.view = catalog(), .path = path, .path_count = 1};
    struct bytes text = bytes_of(data, size);

    if (!utf8_valid(text) || (size > 0 && memchr(data, 0, size) != NULL)) { /* is refused before */
        return 0;
    }
    if (dml_is(text)) {
        as_dml(text, &s, &arena);
    } else if (copy_is(text)) {
        as_copy(text, &s, &arena);
    } else if (show_is(text)) {
        as_show(text, &s, &arena);
    }
    return 0;
}
