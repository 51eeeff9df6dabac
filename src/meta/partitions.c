/* Partitions: create, drop, list (catalog.h). */
#include "catalog.h"

#include "format/partition.h"

/* "<name>-p<id>" is a directory: 255 bytes, less "-p" and 19 digits. */
#define PARTITION_NAME_MAX 234

/* ---- specs ---- */

static enum errcode spec_take(const struct meta_spec *spec, size_t count, struct arena *arena,
                              struct text_map *ret, struct error *e)
{
    struct text_pair *items = arena_array(arena, count, sizeof *items);

    for (size_t i = 0; i < count; i++) {
        TRY(text_take(spec[i].key, "a partition key", ERR_PARTITION_SPEC_INVALID, arena,
                      &items[i].key, e));
        TRY(text_take(spec[i].value, "a partition value", ERR_PARTITION_SPEC_INVALID, arena,
                      &items[i].value, e));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(items[i].key, items[j].key) == 0) {
                return error_set(e, ERR_PARTITION_SPEC_INVALID, "partition key %s is given twice",
                                 items[i].key);
            }
        }
    }
    *ret = (struct text_map){.items = items, .count = count};
    return ERR_OK;
}

static enum errcode check_partitioned(const struct meta_table *t, struct error *e)
{
    return meta_table_partitioned(t)
               ? ERR_OK
               : error_set(e, ERR_TABLE_NOT_PARTITIONED, "table %s.%s is not partitioned",
                           t->database, t->name);
}

/* ---- changes of a table's partitions ---- */

static enum errcode partition_add(struct change *c, const struct meta_table *t, const char *name,
                                  struct meta_partition **ret, struct error *e)
{
    int32_t buckets = t->descriptor->def.bucket_count;
    struct znode_partition p = {.table_id = t->id,
                                .partition_id = change_partition_id(c),
                                .remote_data_dir = c->meta->options.remote_data_dir};
    struct partition_source source = {.name = name,
                                      .registration = &p,
                                      .key_count = t->descriptor->def.partition_keys.count,
                                      .leader_epochs =
                                          arena_array(&c->arena, (size_t)buckets, sizeof(int32_t)),
                                      .bucket_count = buckets};
    const char *folder = znode_partitions_path(&c->arena, t->database, t->name);

    change_assign_buckets(c, t->id, p.partition_id, buckets);
    store_batch_create(&c->batch, arena_printf(&c->arena, "%s/%s", folder, name),
                       znode_partition_encode(&p, &c->arena));
    return load_partition(&source, ret, e);
}

static void partition_remove(struct change *c, const struct meta_table *t,
                             const struct meta_partition *p)
{
    const char *folder = znode_partitions_path(&c->arena, t->database, t->name);
    struct meta_deletion deletion = {.table_id = t->id,
                                     .partition_id = p->id,
                                     .database = t->database,
                                     .table = t->name,
                                     .partition = p->name};

    store_batch_delete_tree(&c->batch, arena_printf(&c->arena, "%s/%s", folder, p->name));
    change_drop_assignment(c, &deletion, false);
}

static enum errcode check_limits(const struct change *c, const struct meta_table *t, size_t count,
                                 struct error *e)
{
    const struct meta_options *o = &c->meta->options;

    TRY(table_check_replicas(t->options, e));
    if (count > (size_t)o->partition_count_max) {
        return error_set(e, ERR_PARTITION_MAX_NUM,
                         "table %s.%s would have %zu partitions, the maximum is %d", t->database,
                         t->name, count, o->partition_count_max);
    }
    if (t->descriptor->def.bucket_count > o->bucket_count_max) {
        return error_set(
            e, ERR_BUCKET_MAX_NUM, "table %s.%s has %d buckets in a partition, the maximum is %d",
            t->database, t->name, t->descriptor->def.bucket_count, o->bucket_count_max);
    }
    return ERR_OK;
}

/* Makes the documents and entries; *added counts what must be released on failure. */
static enum errcode partitions_add(struct change *c, const struct meta_table *t,
                                   struct text_list names, struct meta_partition **entries,
                                   size_t *added, struct error *e)
{
    for (*added = 0; *added < names.count; (*added)++) {
        TRY(partition_add(c, t, names.items[*added], &entries[*added], e));
    }
    return ERR_OK;
}

enum errcode partitions_change(struct change *c, const struct meta_table *t,
                               struct text_list create, struct text_list drop, struct error *e)
{
    int64_t *removed = arena_array(&c->arena, drop.count, sizeof *removed);
    struct meta_partition **entries = arena_array(&c->arena, create.count, sizeof(void *));
    struct partitions_edit edit = {
        .removed = removed, .removed_count = drop.count, .added = entries};
    enum errcode code;

    if (create.count > 0) {
        TRY(check_limits(c, t, t->partitions->count - drop.count + create.count, e));
    }
    for (size_t i = 0; i < drop.count; i++) {
        const struct meta_partition *p = meta_table_partition(t, bytes_str(drop.items[i]));

        ASSERT(p != NULL);
        removed[i] = p->id;
        partition_remove(c, t, p);
    }
    code = partitions_add(c, t, create, entries, &edit.added_count, e);
    if (code != ERR_OK) {
        for (size_t i = 0; i < edit.added_count; i++) {
            (void)view_partition_unref(entries[i]);
        }
        return code;
    }
    view_put_table(c->view,
                   view_table_with_partitions(t, view_partitions_new(t->partitions, &edit)));
    return ERR_OK;
}

/* ---- jobs ---- */

static enum errcode check_new(const struct meta *m, const struct meta_table *t,
                              struct text_list values, struct arena *arena, struct error *e)
{
    struct auto_partition_state clock;

    TRY(auto_partition_state_of(m, t, arena, &clock, e));
    return auto_partition_check(&clock, values, e);
}

enum errcode partition_create(struct meta *m, const struct meta_create_partition *job,
                              struct error *e)
{
    OWNED(change_fini) struct change c;
    const struct meta_table *t = NULL;
    struct text_list values = {0};
    struct text_map spec = {0};
    const char *name;

    change_begin(m, &c);
    TRY(table_find(m, job->database, job->table, &t, e));
    TRY(check_partitioned(t, e));
    TRY(spec_take(job->spec, job->spec_count, &c.arena, &spec, e));
    TRY(partition_resolve(t->descriptor->def.partition_keys, spec, true, &c.arena, &values, e));
    name = partition_name(values, &c.arena);
    if (strlen(name) > PARTITION_NAME_MAX) {
        return error_set(e, ERR_PARTITION_SPEC_INVALID,
                         "the partition name %.40s... has %zu characters, the maximum is %d", name,
                         strlen(name), PARTITION_NAME_MAX);
    }
    TRY(check_new(m, t, values, &c.arena, e));
    if (meta_table_partition(t, bytes_str(name)) != NULL) {
        return job->ignore_if_exists
                   ? ERR_OK
                   : error_set(e, ERR_PARTITION_ALREADY_EXISTS,
                               "partition %s of table %s.%s exists already",
                               partition_qualified_name(t->descriptor->def.partition_keys, values,
                                                        &c.arena),
                               t->database, t->name);
    }
    TRY(partitions_change(&c, t, (struct text_list){.items = &name, .count = 1},
                          (struct text_list){0}, e));
    return change_commit(&c, e);
}

enum errcode partition_drop(struct meta *m, const struct meta_drop_partition *job, struct error *e)
{
    OWNED(change_fini) struct change c;
    const struct meta_table *t = NULL;
    struct text_list values = {0};
    struct text_map spec = {0};
    const char *name;

    change_begin(m, &c);
    TRY(table_find(m, job->database, job->table, &t, e));
    TRY(check_partitioned(t, e));
    TRY(spec_take(job->spec, job->spec_count, &c.arena, &spec, e));
    TRY(partition_resolve(t->descriptor->def.partition_keys, spec, false, &c.arena, &values, e));
    name = partition_name(values, &c.arena);
    if (meta_table_partition(t, bytes_str(name)) == NULL) {
        return job->ignore_if_not_exists
                   ? ERR_OK
                   : error_set(e, ERR_PARTITION_NOT_EXISTS,
                               "partition %s of table %s.%s does not exist",
                               partition_qualified_name(t->descriptor->def.partition_keys, values,
                                                        &c.arena),
                               t->database, t->name);
    }
    TRY(partitions_change(&c, t, (struct text_list){0},
                          (struct text_list){.items = &name, .count = 1}, e));
    return change_commit(&c, e);
}

/* ---- reading ---- */

enum errcode meta_list_partitions(const struct meta_table *t, const struct meta_spec *spec,
                                  size_t spec_count, struct arena *arena,
                                  struct meta_partition_list *ret, struct error *e)
{
    struct meta_partition_list list = {0};
    struct text_map map = {0};

    TRY(check_partitioned(t, e));
    TRY(spec_take(spec, spec_count, arena, &map, e));
    TRY(partition_check_partial(t->descriptor->def.partition_keys, map, e));
    list.items = arena_array(arena, t->partitions->count, sizeof *list.items);
    for (size_t i = 0; i < t->partitions->count; i++) {
        const struct meta_partition *p = t->partitions->by_name[i];

        if (partition_matches(t->descriptor->def.partition_keys, p->values, map)) {
            list.items[list.count++] = p;
        }
    }
    *ret = list;
    return ERR_OK;
}
