#include "../../support/store_ops.h"
#include "kv/snapshot.h"
#include "replica/kv_files.h"

static int setup(void **state)
{
    struct store *s = store_new(1);

    store_open_sets(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_free(*state);
    return 0;
}

struct call {
    struct kv_files_op op;
    struct store *store;
    struct gate *gate;
};

static void call_done(struct kv_files_op *op)
{
    gate_pass(container_of(op, struct call, op)->gate);
}

static void call_run(void *context)
{
    struct call *c = context;

    replica_kv_files(c->store->sets[0], &c->op);
}

static struct kv_files_op ask(struct store *s, int64_t id, const char *metadata_path)
{
    struct call c = {.op = {.snapshot_id = id,
                            .metadata_path = metadata_path,
                            .arena = &s->arena,
                            .done = call_done},
                     .store = s,
                     .gate = gate_new(1)};

    on_shard(s->shards[0], call_run, &c);
    gate_wait(c.gate);
    return c.op;
}

/* A document as an upload leaves it; its path. */
static char *document(struct store *s, int64_t id)
{
    struct kv_snapshot_file shared = {.path = "file:///r/shared/u1", .name = "1.sst", .size = 5};
    struct kv_snapshot_file own = {.path = "file:///r/snap-7/u2", .name = "CURRENT", .size = 6};
    struct kv_snapshot snapshot = {.table_id = 1,
                                   .partition_id = -1,
                                   .id = id,
                                   .location = "file:///r/snap-7",
                                   .shared = {.items = &shared, .count = 1},
                                   .own = {.items = &own, .count = 1},
                                   .checkpoint.state.offset = 70};
    char *dir = arena_printf(&s->arena, "%s/r/snap-%lld", s->dir, (long long)id);
    char *path = arena_printf(&s->arena, "%s/_METADATA", dir);
    struct json_writer w;

    json_writer_init(&w, &s->arena);
    kv_snapshot_format(&snapshot, &w);
    assert_int_equal(dir_create(dir, NULL), ERR_OK);
    assert_int_equal(file_replace(path, json_writer_text(&w), NULL), ERR_OK);
    return path;
}

static void the_files_are_those_of_the_document(void **state)
{
    struct store *s = *state;
    char *path = document(s, 7);
    const char *const uris[] = {path, arena_printf(&s->arena, "file://%s", path)};

    for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
        struct kv_files_op op = ask(s, 7, uris[i]);

        assert_int_equal(op.code, ERR_OK);
        assert_int_equal(op.log_offset, 70);
        assert_int_equal(op.file_count, 2);
        assert_string_equal(op.files[0].name, "CURRENT");
        assert_string_equal(op.files[0].remote_path, "file:///r/snap-7/u2");
        assert_string_equal(op.files[1].name, "1.sst");
        assert_string_equal(op.files[1].remote_path, "file:///r/shared/u1");
    }
}

static void what_cannot_be_had_does_not_exist(void **state)
{
    struct store *s = *state;
    char *path = document(s, 7);
    char *broken = document(s, 8);
    const struct {
        int64_t id;
        const char *path;
    } cases[] = {
        {6, path}, /* of another snapshot */
        {9, arena_printf(&s->arena, "%s/r/snap-9/_METADATA", s->dir)},
        {7, arena_printf(&s->arena, "s3:/%s", path)},
        {7, arena_printf(&s->arena, "%s.old", path)},
        {7, "/snap-7/_METADATA"},
        {7, ""},
        {8, broken},
    };

    assert_int_equal(file_replace(broken, bytes_str("{"), NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kv_files_op op = ask(s, cases[i].id, cases[i].path);

        assert_int_equal(op.code, ERR_KV_SNAPSHOT_NOT_EXIST);
        assert_int_equal(op.error.code, ERR_KV_SNAPSHOT_NOT_EXIST);
        assert_true(op.error.message[0] != '\0');
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_files_are_those_of_the_document),
        TEST(what_cannot_be_had_does_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
