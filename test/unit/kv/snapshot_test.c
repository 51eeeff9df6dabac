#include "rows.h"

#include "../../support/vectors.h"
#include "base/crc32c.h"

static struct bytes format(const struct kv_snapshot *s, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    kv_snapshot_format(s, &w);
    return json_writer_text(&w);
}

/* Documents of the original come back as they were. */
static void documents_of_the_original(void **state)
{
    OWNED(vectors_freep) json_t *vectors = vectors_load("files_and_json.json");
    size_t found = 0;

    (void)state;
    VECTORS_FOR_EACH(one, vectors)
    {
        if (strcmp(vectors_text(one, "what"), "kv snapshot _METADATA file") == 0) {
            OWNED(arena_fini) struct arena arena = ARENA_INIT;
            char *text = json_dumps(vectors_get(one, "json"), JSON_COMPACT);
            struct kv_snapshot s;
            struct bytes again;
            json_t *back;
            struct error e;

            OK(kv_snapshot_parse(bytes_str(text), &arena, &s, &e));
            again = format(&s, &arena);
            back = json_loadb((const char *)again.data, again.len, 0, NULL);
            assert_true(json_equal(back, vectors_get(one, "json")));
            /* the order of members, too */
            assert_true(bytes_equal_str(again, text));
            json_decref(back);
            free(text);
            found++;
        }
    }
    assert_int_equal(found, 2);
}

static const char complete[] =
    "{\"version\":1,\"table_id\":11,\"bucket_id\":2,\"snapshot_id\":1,\"snapshot_location\":\"/r/"
    "snap-1\","
    "\"kv_snapshot_handle\":{\"shared_file_handles\":[{\"kv_file_handle\":{\"path\":\"/r/shared/"
    "u\","
    "\"size\":100},\"local_path\":\"000010.sst\",\"crc32c\":4000000000}],\"private_file_handles\":["
    "],"
    "\"snapshot_incremental_size\":100},\"log_offset\":250,\"row_count\":42,"
    "\"auto_inc_id_range\":[{\"column_id\":1,\"start\":5,\"end\":9}],"
    "\"lineage\":\"00000000000000ff\",\"table_max\":10}";

static void our_own_members(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_snapshot s;
    const char *expected;
    struct error e;

    (void)state;
    OK(kv_snapshot_parse(bytes_str(complete), &arena, &s, &e));
    assert_int_equal(s.partition_id, -1);
    assert_int_equal(s.checkpoint.lineage, 255);
    assert_int_equal(s.checkpoint.table_max, 10);
    assert_int_equal(s.checkpoint.state.ids.end, 9);
    assert_true(s.shared.items[0].has_checksum);
    assert_int_equal(s.shared.items[0].checksum, 4000000000u);
    expected = arena_printf(&arena, "%.*s,\"checksum\":%u}", (int)sizeof complete - 2, complete,
                            crc32c(bytes_of(complete, sizeof complete - 2)));
    assert_true(bytes_equal_str(format(&s, &arena), expected));
}

static void a_changed_document_is_none(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_snapshot s;
    struct bytes text;
    struct error e;

    (void)state;
    OK(kv_snapshot_parse(bytes_str(complete), &arena, &s, &e));
    text = format(&s, &arena);
    OK(kv_snapshot_parse(text, &arena, &s, &e));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t *changed = arena_alloc(&arena, text.len);
        struct kv_snapshot read;

        memcpy(changed, text.data, text.len);
        changed[i] ^= 1;
        if (kv_snapshot_parse(bytes_of(changed, text.len), &arena, &read, &e) == ERR_OK) {
            /* the name of the checksum has changed, nothing else */
            assert_true(i > sizeof complete - 2 && i < text.len - 2);
            assert_int_equal(read.checkpoint.state.offset, s.checkpoint.state.offset);
        }
    }
}

/* The document with one part replaced. */
static enum errcode parse_changed(const char *from, const char *to)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *at = strstr(complete, from);
    struct kv_snapshot s;
    struct error e;
    char *text;

    assert_non_null(at);
    text = arena_printf(&arena, "%.*s%s%s", (int)(at - complete), complete, to, at + strlen(from));
    return kv_snapshot_parse(bytes_str(text), &arena, &s, &e);
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const changes[][2] = {
        {"\"version\":1", "\"version\":2"},
        {"\"table_id\":11", "\"table_id\":-1"},
        {"\"bucket_id\":2", "\"bucket_id\":-2"},
        {"\"bucket_id\":2,", ""},
        {"\"snapshot_id\":1", "\"snapshot_id\":\"1\""},
        {"\"size\":100", "\"size\":-1"},
        {":4000000000", ":4294967296"},
        {":4000000000", ":-2"},
        {":4000000000", ":\"1\""},
        {"000010.sst", "../000010.sst"},
        {"000010.sst", ".."},
        {"000010.sst", ""},
        {"\"private_file_handles\":[],", ""},
        {"\"log_offset\":250", "\"log_offset\":-1"},
        {"\"row_count\":42", "\"row_count\":-2"},
        {"\"end\":9}", "\"end\":9},{\"column_id\":2,\"start\":5,\"end\":9}"},
        {"00000000000000ff", "ff"},
        {"00000000000000ff", "00000000000000FF"},
        {"\"table_max\":10", "\"table_max\":-10"},
    };

    (void)state;
    assert_int_equal(parse_changed("42", "43"), ERR_OK);
    assert_int_equal(parse_changed("\"row_count\":42,", ""), ERR_OK);
    assert_int_equal(parse_changed("\"row_count\"", "\"unknown\""), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_int_equal(parse_changed(changes[i][0], changes[i][1]), ERR_CORRUPT_FILE);
    }
}

static uint64_t same_number(void) { return UINT64_MAX; }

static const struct kv_local_file files[] = {
    {"000010.sst", 100}, {"000012.sst", 200}, {"000013.sst", 300},
    {"CURRENT", 16},     {"MANIFEST-9", 50},
};

static struct kv_snapshot_request request(const struct kv_snapshot *base)
{
    return (struct kv_snapshot_request){
        .table_id = 1,
        .partition_id = -1,
        .id = 8,
        .remote = "s3://b/kv",
        .checkpoint = {.state = {.offset = 99, .row_count = -1}, .lineage = 255, .table_max = 12},
        .files = files,
        .file_count = ARRAY_LEN(files),
        .base = base,
        .random = same_number,
    };
}

static void a_first_plan_copies_everything(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_snapshot_request r = request(NULL);
    struct kv_snapshot_plan plan;

    (void)state;
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5);
    assert_int_equal(plan.snapshot.shared.count, 2);
    assert_int_equal(plan.snapshot.own.count, 3); /* table 13 is of this checkpoint only */
    assert_int_equal(plan.snapshot.incremental_size, 666);
    assert_string_equal(plan.snapshot.location, "s3://b/kv/snap-8");
    assert_string_equal(plan.copies[0].path, "shared/ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_string_equal(plan.snapshot.shared.items[0].path,
                        "s3://b/kv/shared/ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_string_equal(plan.copies[2].path, "snap-8/ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_string_equal(plan.snapshot.own.items[0].name, "000013.sst");
}

static void a_later_plan_shares_what_is_the_same(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct kv_snapshot base = {0};
    struct kv_snapshot_request r = request(&base);
    struct kv_snapshot_plan plan;
    struct error e;

    (void)state;
    OK(kv_snapshot_parse(bytes_str(complete), &arena, &base, &e));
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5); /* of another directory */
    base.location = "s3://b/kv/snap-7";
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 4);
    assert_string_equal(plan.snapshot.shared.items[0].path, "/r/shared/u");
    assert_int_equal(plan.snapshot.incremental_size, 566);

    base.shared.items[0].size = 101; /* another file under its name */
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5);
    base.shared.items[0].size = 100;
    base.checkpoint.table_max = 9; /* was of that checkpoint only */
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5);
    base.checkpoint.table_max = 10;
    base.checkpoint.lineage = 254; /* of another store */
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5);
    base.checkpoint.lineage = r.checkpoint.lineage = 0; /* nobody knows */
    kv_snapshot_make_plan(&r, &arena, &plan);
    assert_int_equal(plan.copy_count, 5);
}

static void a_place_is_a_directory(void **state)
{
    const struct kv_snapshot s = {.location = "s3://b/kv/snap-7"};

    (void)state;
    assert_true(kv_snapshot_is_of(&s, "s3://b/kv"));
    assert_false(kv_snapshot_is_of(&s, "s3://b/k"));
    assert_false(kv_snapshot_is_of(&s, "s3://b"));
    assert_false(kv_snapshot_is_of(&s, "s3://b/kv/snap-7"));
    assert_false(kv_snapshot_is_of(&s, "s3://c/kv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_of_the_original),
        cmocka_unit_test(our_own_members),
        cmocka_unit_test(a_changed_document_is_none),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_first_plan_copies_everything),
        cmocka_unit_test(a_later_plan_shares_what_is_the_same),
        cmocka_unit_test(a_place_is_a_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
