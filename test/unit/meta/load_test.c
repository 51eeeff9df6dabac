/* A catalog whose documents have been damaged says which one, and does not open. */
#include "world.h"

#include "meta/store_local.h"

static struct store *open_store(struct world *w)
{
    struct store_local_options options = {
        .dir = arena_printf(&w->arena, "%s/meta", w->options.data_dir)};
    struct store *s = NULL;

    assert_int_equal(store_local_open(&options, &s, NULL), ERR_OK);
    return s;
}

/* Sets or, without data, deletes a node; then tries to open the catalog. */
static enum errcode open_with(struct world *w, const char *path, const char *data)
{
    struct store *s = open_store(w);
    struct store_node before = {0};
    struct store_batch batch;
    struct meta *m = NULL;
    bool exists = false;
    enum errcode code;

    assert_int_equal(store_get(s, path, &w->arena, &before, &exists, NULL), ERR_OK);
    assert_true(exists);
    store_batch_init(&batch, &w->arena);
    if (data == NULL) {
        store_batch_delete_tree(&batch, path);
    } else {
        store_batch_set(&batch, path, bytes_str(data));
    }
    assert_int_equal(store_batch_commit(s, &batch, NULL), ERR_OK);
    store_close(s);
    w->error = (struct error){0};
    code = meta_open(&w->options, &m, &w->error);
    meta_close(m);
    s = open_store(w);
    store_batch_init(&batch, &w->arena);
    if (data == NULL) {
        store_batch_create(&batch, path, before.data);
    } else {
        store_batch_set(&batch, path, before.data);
    }
    assert_int_equal(store_batch_commit(s, &batch, NULL), ERR_OK);
    store_close(s);
    return code;
}

static void damaged_documents_are_named(void **state)
{
    static const struct {
        const char *path;
        const char *data;
    } cases[] = {
        {"/coordinators/epoch", "many"},
        {"/coordinators/epoch", ""},
        {"/metadata/table_seqid", "1"},
        {"/metadata/databases/fluss", "{"},
        {"/metadata/databases/fluss/tables/t", ""},
        {"/metadata/databases/fluss/tables/t", "{}"},
        {"/metadata/databases/fluss/tables/t/schemas/1", NULL},
        {"/metadata/databases/fluss/tables/t/schemas/1", "{\"columns\":7}"},
        {"/tabletservers/tables/0", "[]"},
        {"/tabletservers/tables/0/buckets/1/leader_isr", NULL},
        {"/tabletservers/tables/0/buckets/1/leader_isr",
         "{\"leader\":0,\"leader_epoch\":1,\"coordinator_epoch\":99,\"bucket_epoch\":0}"},
        {"/tabletservers/partitions/0/buckets/0/leader_isr", "{}"},
        {"/metadata/databases/fluss/tables/p/partitions/a", "{\"table_id\":1}"},
    };
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    assert_int_equal(create_table(w, "fluss", "p", PARTITIONED_TABLE, false), ERR_OK);
    assert_int_equal(create_partition(w, "p", "a"), ERR_OK);
    meta_close(TAKE(w->meta));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (open_with(w, cases[i].path, cases[i].data) != ERR_CORRUPT_FILE) {
            fail_msg("case %zu: %s", i, w->error.message);
        }
        assert_true(w->error.message[0] != '\0');
    }
    world_open(w);
    assert_int_equal(table_of(w, "t")->buckets.count, 2);
    assert_int_equal(table_of(w, "p")->partitions->count, 1);
}

/* Properties of a later version are no reason not to start. */
static void unknown_properties_are_kept(void **state)
{
    struct world *w = *state;

    assert_int_equal(create_table(w, "fluss", "t", PLAIN_TABLE, false), ERR_OK);
    meta_close(TAKE(w->meta));
    assert_int_equal(
        open_with(w, "/metadata/databases/fluss/tables/t",
                  "{\"version\":9,\"table_id\":0,\"bucket_count\":2,\"news\":[1],\"properties\":"
                  "{\"table.from.the.future\":\"1\",\"table.log.ttl\":\"1h\"},"
                  "\"custom_properties\":{},\"created_time\":1,\"modified_time\":2}"),
        ERR_OK);
    world_open(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(damaged_documents_are_named),
        WORLD_TEST(unknown_properties_are_kept),
    };

    return RUN_TESTS(tests);
}
