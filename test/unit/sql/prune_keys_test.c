#include "../../support/sql_prune.h"

static const char *explained(struct sql_store *q, const struct prune *p)
{
    OWNED(buffer_fini) struct buffer out = BUFFER_INIT;

    prune_explain(p, &out);
    return arena_strndup(&q->store->arena, out.data, out.len);
}

static void one_key(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    struct prune *p = sql_prune(q, t, true, sql_leaf(q, "a", FILTER_EQUAL, "7"));

    prune_find_keys(p, true);
    assert_true(p->lookup && !p->prefix);
    assert_int_equal(p->key_count, 1);
    assert_true(bytes_equal(p->keys->keys[0], kv_store_key(q->store, 7)));
    assert_true(prune_is_one_key(p));
    assert_string_equal(explained(q, p), "a = 7, lookup of keys: 1");
    prune_free(p);

    p = sql_prune(q, t, false, sql_leaf(q, "a", FILTER_EQUAL, "7"));
    prune_find_keys(p, false);
    assert_true(p->by_bucket && !p->lookup);
    prune_drop_keys(p);
    assert_null(p->keys);
    prune_free(p);
}

static void keys_that_tell_not_all(void **state)
{
    struct sql_store *q = sql_ready(state);
    int64_t t = store_create_table(q->store, "k", STORE_KV(""));
    struct prune *p = sql_prune(q, t, true, sql_leaf(q, "a", FILTER_GREATER, "7"));

    prune_find_keys(p, true);
    assert_false(p->lookup || p->by_bucket);
    assert_string_equal(explained(q, p), "a > 7");
    prune_free(p);

    p = sql_prune(q, t, true,
                  sql_join(q, FILTER_AND, sql_leaf(q, "a", FILTER_EQUAL, "7"),
                           sql_leaf(q, "b", FILTER_LESS, "it's")));
    prune_find_keys(p, true);
    assert_true(p->lookup);
    assert_false(prune_is_one_key(p));
    prune_free(p);

    p = sql_prune(q, t, true, sql_leaf(q, "a", FILTER_EQUAL, "3000000000"));
    prune_find_keys(p, true);
    assert_true(p->lookup && p->keys == NULL); /* no row has it */
    prune_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SQL_TEST(one_key), SQL_TEST(keys_that_tell_not_all)};

    return cmocka_run_group_tests_name("sql/prune_keys", tests, NULL, NULL);
}
