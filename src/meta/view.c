#include "view.h"

#include "view_edit.h"

#include <stdlib.h>

static bool unref(atomic_uint *refs)
{
    unsigned before = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);

    ASSERT(before > 0);
    return before == 1;
}

static void ref(atomic_uint *refs)
{
    unsigned before = atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
}

/* ---- entries ---- */

struct meta_database *view_database_new(void)
{
    struct meta_database *d = mem_new(struct meta_database);

    atomic_init(&d->refs, 1);
    return d;
}

void *view_database_unref(const struct meta_database *database)
{
    struct meta_database *d = (struct meta_database *)(uintptr_t)database;

    if (d != NULL && unref(&d->refs)) {
        arena_fini(&d->arena);
        free(d);
    }
    return NULL;
}

struct meta_partition *view_partition_new(void)
{
    struct meta_partition *p = mem_new(struct meta_partition);

    atomic_init(&p->refs, 1);
    return p;
}

void *view_partition_unref(const struct meta_partition *partition)
{
    struct meta_partition *p = (struct meta_partition *)(uintptr_t)partition;

    if (p != NULL && unref(&p->refs)) {
        arena_fini(&p->arena);
        free(p);
    }
    return NULL;
}

static void partitions_unref(const struct meta_partitions *partitions)
{
    struct meta_partitions *set = (struct meta_partitions *)(uintptr_t)partitions;

    if (set == NULL || !unref(&set->refs)) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        (void)view_partition_unref(set->by_name[i]);
    }
    free(set->by_name);
    free(set->by_id);
    free(set);
}

static void body_unref(struct meta_table_body *b)
{
    if (!unref(&b->refs)) {
        return;
    }
    for (size_t i = 0; i < b->schema_count; i++) {
        (void)schema_unref((struct schema *)(uintptr_t)b->schemas[i].schema);
    }
    (void)table_descriptor_unref(b->descriptor);
    arena_fini(&b->arena);
    free(b);
}

struct meta_table *view_table_new(void)
{
    struct meta_table *t = mem_new(struct meta_table);

    atomic_init(&t->refs, 1);
    t->body = mem_new(struct meta_table_body);
    atomic_init(&t->body->refs, 1);
    return t;
}

struct meta_table *view_table_with_partitions(const struct meta_table *t,
                                              struct meta_partitions *partitions)
{
    struct meta_table *copy = mem_alloc(sizeof *copy);

    *copy = *t;
    atomic_init(&copy->refs, 1);
    ref(&copy->body->refs);
    copy->partitions = partitions;
    return copy;
}

void view_table_share_partitions(struct meta_table *t, const struct meta_table *from)
{
    partitions_unref(t->partitions);
    ref(&((struct meta_partitions *)(uintptr_t)from->partitions)->refs);
    t->partitions = from->partitions;
}

const struct meta_table *meta_table_ref(const struct meta_table *t)
{
    ref(&((struct meta_table *)(uintptr_t)t)->refs);
    return t;
}

const void *meta_table_unref(const struct meta_table *table)
{
    struct meta_table *t = (struct meta_table *)(uintptr_t)table;

    if (t != NULL && unref(&t->refs)) {
        partitions_unref(t->partitions);
        body_unref(t->body);
        free(t);
    }
    return NULL;
}

/* ---- partitions ---- */

static bool removed(const struct partitions_edit *edit, int64_t id)
{
    for (size_t i = 0; i < edit->removed_count; i++) {
        if (edit->removed[i] == id) {
            return true;
        }
    }
    return false;
}

static int partition_compare_name(const void *a, const void *b)
{
    return strcmp((*(const struct meta_partition *const *)a)->name,
                  (*(const struct meta_partition *const *)b)->name);
}

static int partition_compare_id(const void *a, const void *b)
{
    int64_t x = (*(const struct meta_partition *const *)a)->id;
    int64_t y = (*(const struct meta_partition *const *)b)->id;

    return (x > y) - (x < y);
}

struct meta_partitions *view_partitions_new(const struct meta_partitions *from,
                                            const struct partitions_edit *edit)
{
    struct meta_partitions *set = mem_new(struct meta_partitions);
    size_t cap = (from == NULL ? 0 : from->count) + edit->added_count;

    atomic_init(&set->refs, 1);
    set->by_name = mem_zalloc(cap * sizeof *set->by_name);
    set->by_id = mem_zalloc(cap * sizeof *set->by_id);
    for (size_t i = 0; from != NULL && i < from->count; i++) {
        if (!removed(edit, from->by_name[i]->id)) {
            ref(&((struct meta_partition *)(uintptr_t)from->by_name[i])->refs);
            set->by_name[set->count++] = from->by_name[i];
        }
    }
    for (size_t i = 0; i < edit->added_count; i++) {
        set->by_name[set->count++] = edit->added[i];
    }
    if (set->count > 0) {
        qsort(set->by_name, set->count, sizeof *set->by_name, partition_compare_name);
        memcpy(set->by_id, set->by_name, set->count * sizeof *set->by_id);
        qsort(set->by_id, set->count, sizeof *set->by_id, partition_compare_id);
    }
    return set;
}

/* ---- looking up ---- */

/* Position of the first of count items for which compare(item, key) >= 0. */
static size_t lower_bound(const void *const *items, size_t count,
                          int (*compare)(const void *item, const void *key), const void *key)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(items[middle], key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const void *find(const void *const *items, size_t count,
                        int (*compare)(const void *item, const void *key), const void *key)
{
    size_t at = lower_bound(items, count, compare, key);

    return at < count && compare(items[at], key) == 0 ? items[at] : NULL;
}

static int database_against(const void *item, const void *key)
{
    const struct meta_database *d = item;

    return bytes_compare(bytes_str(d->name), *(const struct bytes *)key);
}

struct table_path {
    struct bytes database;
    struct bytes name;
};

static int table_against(const void *item, const void *key)
{
    const struct meta_table *t = item;
    const struct table_path *path = key;
    int c = bytes_compare(bytes_str(t->database), path->database);

    return c != 0 ? c : bytes_compare(bytes_str(t->name), path->name);
}

static int table_against_id(const void *item, const void *key)
{
    const struct meta_table *t = item;
    int64_t id = *(const int64_t *)key;

    return (t->id > id) - (t->id < id);
}

static int partition_against(const void *item, const void *key)
{
    const struct meta_partition *p = item;

    return bytes_compare(bytes_str(p->name), *(const struct bytes *)key);
}

static int partition_against_id(const void *item, const void *key)
{
    const struct meta_partition *p = item;
    int64_t id = *(const int64_t *)key;

    return (p->id > id) - (p->id < id);
}

#define ITEMS(array) ((const void *const *)(array))

const struct meta_database *meta_view_database(const struct meta_view *v, struct bytes name)
{
    return find(ITEMS(v->databases), v->database_count, database_against, &name);
}

const struct meta_table *meta_view_table(const struct meta_view *v, struct bytes database,
                                         struct bytes name)
{
    struct table_path path = {.database = database, .name = name};

    return find(ITEMS(v->tables), v->table_count, table_against, &path);
}

const struct meta_table *meta_view_table_by_id(const struct meta_view *v, int64_t id)
{
    return find(ITEMS(v->by_id), v->table_count, table_against_id, &id);
}

const struct meta_partition *meta_view_partition(const struct meta_view *v, int64_t id,
                                                 const struct meta_table **ret_table)
{
    for (size_t i = 0; i < v->table_count; i++) {
        const struct meta_table *t = v->tables[i];
        const struct meta_partition *p =
            t->partitions == NULL ? NULL : meta_table_partition_by_id(t, id);

        if (p != NULL) {
            if (ret_table != NULL) {
                *ret_table = t;
            }
            return p;
        }
    }
    return NULL;
}

struct meta_tables meta_view_tables_of(const struct meta_view *v, struct bytes database)
{
    struct table_path path = {.database = database, .name = BYTES_EMPTY};
    size_t from = lower_bound(ITEMS(v->tables), v->table_count, table_against, &path);
    size_t to = from;

    while (to < v->table_count && bytes_equal(bytes_str(v->tables[to]->database), database)) {
        to++;
    }
    return (struct meta_tables){.items = v->tables + from, .count = to - from};
}

const struct meta_partition *meta_table_partition(const struct meta_table *t, struct bytes name)
{
    return t->partitions == NULL ? NULL
                                 : find(ITEMS(t->partitions->by_name), t->partitions->count,
                                        partition_against, &name);
}

const struct meta_partition *meta_table_partition_by_id(const struct meta_table *t, int64_t id)
{
    return t->partitions == NULL
               ? NULL
               : find(ITEMS(t->partitions->by_id), t->partitions->count, partition_against_id, &id);
}

const struct meta_schema *meta_table_schema(const struct meta_table *t, int32_t schema_id)
{
    for (size_t i = 0; i < t->schema_count; i++) {
        if (t->schemas[i].id == schema_id) {
            return &t->schemas[i];
        }
    }
    return NULL;
}

/* ---- views ---- */

struct meta_view *meta_view_ref(struct meta_view *v)
{
    ref(&v->refs);
    return v;
}

void *meta_view_unref(struct meta_view *v)
{
    if (v == NULL || !unref(&v->refs)) {
        return NULL;
    }
    for (size_t i = 0; i < v->database_count; i++) {
        (void)view_database_unref(v->databases[i]);
    }
    for (size_t i = 0; i < v->table_count; i++) {
        (void)meta_table_unref(v->tables[i]);
    }
    free(v->databases);
    free(v->tables);
    free(v->by_id);
    free(v);
    return NULL;
}

void meta_view_unrefp(struct meta_view **v) { *v = meta_view_unref(*v); }

struct meta_view *view_edit(const struct meta_view *from)
{
    struct meta_view *v = mem_new(struct meta_view);

    atomic_init(&v->refs, 1);
    if (from == NULL) {
        return v;
    }
    v->version = from->version + 1;
    v->coordinator_epoch = from->coordinator_epoch;
    v->database_count = from->database_count;
    v->databases = mem_zalloc(from->database_count * sizeof *v->databases);
    for (size_t i = 0; i < from->database_count; i++) {
        v->databases[i] = from->databases[i];
        ref(&((struct meta_database *)(uintptr_t)from->databases[i])->refs);
    }
    v->table_count = from->table_count;
    v->tables = mem_zalloc(from->table_count * sizeof *v->tables);
    v->by_id = mem_zalloc(from->table_count * sizeof *v->by_id);
    for (size_t i = 0; i < from->table_count; i++) {
        v->tables[i] = meta_table_ref(from->tables[i]);
        v->by_id[i] = from->by_id[i];
    }
    return v;
}

/* Opens a gap for one more item in an array of count items. */
static void *array_insert(void *array, size_t count, size_t at)
{
    const void **items = mem_realloc(array, (count + 1) * sizeof *items);

    memmove(&items[at + 1], &items[at], (count - at) * sizeof *items);
    return items;
}

static void array_remove(void *array, size_t count, size_t at)
{
    const void **items = array;

    memmove(&items[at], &items[at + 1], (count - at - 1) * sizeof *items);
}

void view_put_database(struct meta_view *v, struct meta_database *d)
{
    struct bytes name = bytes_str(d->name);
    size_t at = lower_bound(ITEMS(v->databases), v->database_count, database_against, &name);

    if (at < v->database_count && strcmp(v->databases[at]->name, d->name) == 0) {
        (void)view_database_unref(v->databases[at]);
    } else {
        v->databases = array_insert(v->databases, v->database_count, at);
        v->database_count++;
    }
    v->databases[at] = d;
}

void view_remove_database(struct meta_view *v, struct bytes name)
{
    size_t at = lower_bound(ITEMS(v->databases), v->database_count, database_against, &name);

    ASSERT(at < v->database_count && bytes_equal_str(name, v->databases[at]->name));
    (void)view_database_unref(v->databases[at]);
    array_remove(v->databases, v->database_count, at);
    v->database_count--;
}

static size_t table_position(const struct meta_view *v, const struct meta_table *t)
{
    struct table_path path = {.database = bytes_str(t->database), .name = bytes_str(t->name)};

    return lower_bound(ITEMS(v->tables), v->table_count, table_against, &path);
}

void view_put_table(struct meta_view *v, struct meta_table *t)
{
    size_t at = table_position(v, t);
    size_t at_id = lower_bound(ITEMS(v->by_id), v->table_count, table_against_id, &t->id);

    if (at_id < v->table_count && v->by_id[at_id]->id == t->id) {
        ASSERT(v->tables[at] == v->by_id[at_id]); /* a table is never renamed */
        (void)meta_table_unref(v->tables[at]);
    } else {
        v->tables = array_insert(v->tables, v->table_count, at);
        v->by_id = array_insert(v->by_id, v->table_count, at_id);
        v->table_count++;
    }
    v->tables[at] = t;
    v->by_id[at_id] = t;
}

void view_remove_table(struct meta_view *v, int64_t id)
{
    size_t at_id = lower_bound(ITEMS(v->by_id), v->table_count, table_against_id, &id);
    size_t at;

    ASSERT(at_id < v->table_count && v->by_id[at_id]->id == id);
    at = table_position(v, v->by_id[at_id]);
    ASSERT(v->tables[at] == v->by_id[at_id]);
    (void)meta_table_unref(v->tables[at]);
    array_remove(v->tables, v->table_count, at);
    array_remove(v->by_id, v->table_count, at_id);
    v->table_count--;
}
