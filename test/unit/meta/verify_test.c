#include "world.h"

#include "meta/store_journal.h"
#include "meta/verify.h"

struct counts {
    unsigned damage;
    unsigned tails;
    unsigned asides;
    char last[512];
};

static void note(void *context, const struct meta_finding *finding)
{
    struct counts *c = context;

    c->tails += finding->tail ? 1 : 0;
    c->asides += finding->aside ? 1 : 0;
    c->damage += finding->tail || finding->aside ? 0 : 1;
    (void)snprintf(c->last, sizeof c->last, "%s:%llu: %s", finding->path,
                   (unsigned long long)finding->position, finding->what.message);
}

static struct counts check(struct world *w, struct meta_verified *ret)
{
    struct counts counts = {0};
    struct meta_verify_params params = {
        .data_dir = w->options.data_dir, .context = &counts, .found = note};
    struct error e = {0};

    *ret = (struct meta_verified){0};
    if (meta_verify(&params, ret, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
    return counts;
}

/* A catalog with some databases, closed; the tear-down opens nothing again. */
static void fill(struct world *w)
{
    for (int i = 0; i < 20; i++) {
        assert_int_equal(create_database(w, arena_printf(&w->arena, "db%d", i), "", false), ERR_OK);
    }
    meta_close(TAKE(w->meta));
}

static struct bytes journal(struct world *w, const char **ret_path)
{
    struct bytes contents = BYTES_EMPTY;
    bool exists = false;

    *ret_path = arena_printf(&w->arena, "%s/meta/journal-1", w->options.data_dir);
    assert_int_equal(file_read_whole(*ret_path, SIZE_MAX, &w->arena, &contents, &exists, NULL),
                     ERR_OK);
    assert_true(exists);
    return contents;
}

static void replace(const char *path, struct bytes contents)
{
    assert_int_equal(file_replace(path, contents, NULL), ERR_OK);
}

static void a_whole_catalog_gives_its_view(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    struct counts counts;
    const char *path;
    struct bytes before;

    fill(w);
    before = journal(w, &path);
    counts = check(w, &verified);
    assert_string_equal(counts.last, "");
    assert_int_equal(verified.generation, 1);
    assert_true(verified.transactions > 20);
    assert_true(verified.nodes > 20);
    assert_non_null(meta_view_database(verified.view, bytes_str("db7")));
    meta_view_unref(verified.view);
    assert_true(bytes_equal(journal(w, &path), before));
}

static void a_directory_without_a_store_is_empty(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    const char *dir = w->options.data_dir;
    struct counts counts;

    w->options.data_dir = "/nowhere/at/all";
    counts = check(w, &verified);
    w->options.data_dir = dir;
    assert_int_equal(counts.damage, 0);
    assert_int_equal(verified.view->database_count, 0);
    meta_view_unref(verified.view);
}

static void every_flipped_bit_of_the_journal_is_found(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    const char *path;
    struct bytes before;

    fill(w);
    before = journal(w, &path);
    for (size_t at = 0; at < before.len; at += 13) {
        struct bytes damaged = arena_copy(&w->arena, before);
        struct counts counts;

        ((uint8_t *)(uintptr_t)damaged.data)[at] ^= (uint8_t)(1u << at % 8);
        replace(path, damaged);
        counts = check(w, &verified);
        assert_int_equal(counts.damage, 1);
        assert_null(verified.view);
    }
}

static void an_unfinished_record_is_a_tail(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    const char *path;
    struct bytes before;
    struct counts counts;
    char *reached = arena_printf(&w->arena, "%s/meta/reached", w->options.data_dir);

    fill(w);
    before = journal(w, &path);
    replace(path, bytes_slice(before, 0, before.len - 3));
    replace(arena_printf(&w->arena, "%s.at-77.aside", path), bytes_str("x"));
    counts = check(w, &verified);
    assert_int_equal(counts.tails, 0);
    assert_int_equal(counts.damage, 1); /* it was acknowledged: the stop was an orderly one */
    assert_null(verified.view);
    assert_int_equal(path_remove(reached, NULL), ERR_OK);
    counts = check(w, &verified);
    assert_int_equal(counts.tails, 1);
    assert_int_equal(counts.asides, 1);
    assert_int_equal(counts.damage, 0);
    assert_non_null(verified.view);
    meta_view_unref(verified.view);
}

static void an_earlier_record_behind_the_last_is_a_tail(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    const char *path;
    struct bytes before;
    struct counts counts;
    size_t len;
    uint8_t *raw;

    fill(w);
    before = journal(w, &path);
    len = 12 + get_u32le(before.data + JOURNAL_HEADER_SIZE + 4);
    raw = arena_alloc(&w->arena, before.len + len);
    memcpy(raw, before.data, before.len);
    memcpy(raw + before.len, before.data + JOURNAL_HEADER_SIZE, len);
    replace(path, bytes_of(raw, before.len + len));
    counts = check(w, &verified);
    assert_int_equal(counts.tails, 1);
    assert_int_equal(counts.damage, 0);
    meta_view_unref(verified.view);
}

static void missing_and_damaged_files_are_found(void **state)
{
    struct world *w = *state;
    struct meta_verified verified;
    const char *path;
    struct bytes before;
    char *snapshot = arena_printf(&w->arena, "%s/meta/snapshot-1", w->options.data_dir);

    fill(w);
    before = journal(w, &path);
    replace(arena_printf(&w->arena, "%s/meta/journal-2", w->options.data_dir), before);
    assert_int_equal(check(w, &verified).damage, 1);
    replace(arena_printf(&w->arena, "%s/meta/journal-2", w->options.data_dir), BYTES_EMPTY);
    assert_int_equal(check(w, &verified).damage, 0);
    meta_view_unref(verified.view);
    assert_int_equal(path_remove(path, NULL), ERR_OK);
    assert_int_equal(check(w, &verified).damage, 1);
    replace(path, bytes_slice(before, 0, 32));
    assert_int_equal(check(w, &verified).damage, 1); /* whole, but not all of it */
    replace(snapshot, bytes_str("EIDRSNAP and then nothing that makes sense"));
    assert_int_equal(check(w, &verified).damage, 1);
    assert_null(verified.view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_catalog_gives_its_view, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_directory_without_a_store_is_empty, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(every_flipped_bit_of_the_journal_is_found, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(an_unfinished_record_is_a_tail, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(an_earlier_record_behind_the_last_is_a_tail, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(missing_and_damaged_files_are_found, world_setup,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
