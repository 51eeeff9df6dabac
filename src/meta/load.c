/* Entries of the view from the documents of the store (catalog.h). */
#include "catalog.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- databases ---- */

struct meta_database *load_database(const char *name, const struct znode_database *d)
{
    struct meta_database *entry = view_database_new();
    struct arena *arena = &entry->arena;

    entry->name = arena_strndup(arena, name, strlen(name));
    entry->comment =
        d->comment == NULL ? NULL : arena_strndup(arena, d->comment, strlen(d->comment));
    entry->properties = text_map_copy(d->properties, arena);
    entry->created_ms = d->created_ms;
    entry->modified_ms = d->modified_ms;
    return entry;
}

/* ---- tables ---- */

static struct meta_buckets load_buckets(const int32_t *epochs, int32_t count, struct arena *arena)
{
    int32_t *copy = arena_array(arena, (size_t)count, sizeof *copy);

    if (count > 0) {
        memcpy(copy, epochs, (size_t)count * sizeof *copy);
    }
    return (struct meta_buckets){.count = count, .leader_epochs = copy};
}

static enum errcode corrupt(struct error *e)
{
    if (e != NULL) {
        e->code = ERR_CORRUPT_FILE;
    }
    return ERR_CORRUPT_FILE;
}

static enum errcode load_schemas(struct meta_table_body *b, const struct table_source *source,
                                 struct error *e)
{
    b->schemas = arena_array(&b->arena, source->schema_count, sizeof *b->schemas);
    for (size_t i = 0; i < source->schema_count; i++) {
        struct schema *schema = NULL;

        if (schema_parse(source->schemas[i], &schema, e) != ERR_OK) {
            error_wrap(e, "schema %zu", i + 1);
            return corrupt(e);
        }
        b->schemas[i] = (struct meta_schema){.id = (int32_t)i + 1,
                                             .schema = schema,
                                             .json = arena_copy(&b->arena, source->schemas[i])};
        b->schema_count++;
    }
    return ERR_OK;
}

/* Properties this version does not know are kept as texts and have no effect: they may come from a
 * later version, and a catalog that opens is better than none. */
static enum errcode load_options(struct meta_table_body *b, struct text_map properties,
                                 const struct table_options **ret, struct error *e)
{
    struct text_pair *known = arena_array(&b->arena, properties.count, sizeof *known);
    struct table_options *options = arena_new(&b->arena, struct table_options);
    struct text_map map = {.items = known};
    enum table_option option;

    for (size_t i = 0; i < properties.count; i++) {
        if (table_option_find(properties.items[i].key, &option)) {
            known[map.count++] = properties.items[i];
        }
    }
    if (table_options_parse(map, options, e) != ERR_OK) {
        return corrupt(e);
    }
    *ret = options;
    return ERR_OK;
}

static struct bytes descriptor_json(const struct table_descriptor *d, struct arena *arena)
{
    struct json_writer w;

    json_writer_init(&w, arena);
    table_descriptor_write_json(&w, d);
    return json_writer_text(&w);
}

static enum errcode load_body(struct meta_table *t, const struct table_source *source,
                              struct error *e)
{
    const struct znode_table *r = source->registration;
    struct meta_table_body *b = t->body;
    struct table_def def;

    if (source->schema_count == 0) {
        return error_set(e, ERR_CORRUPT_FILE, "the table has no schema");
    }
    TRY(load_schemas(b, source, e));
    def = (struct table_def){
        .schema = (struct schema *)(uintptr_t)b->schemas[b->schema_count - 1].schema,
        .comment = r->comment,
        .partition_keys = r->partition_keys,
        .distributed = true,
        .bucket_keys = r->bucket_keys,
        .has_bucket_count = true,
        .bucket_count = r->bucket_count,
        .properties = r->properties,
        .custom_properties = r->custom_properties,
    };
    if (table_descriptor_new(&def, &b->descriptor, e) != ERR_OK) {
        return corrupt(e);
    }
    t->descriptor = b->descriptor;
    t->json = descriptor_json(b->descriptor, &b->arena);
    t->schemas = b->schemas;
    t->schema_count = b->schema_count;
    return load_options(b, b->descriptor->def.properties, &t->options, e);
}

enum errcode load_table(const struct table_source *source, struct meta_table **ret, struct error *e)
{
    const struct znode_table *r = source->registration;
    struct meta_table *t = view_table_new();
    struct partitions_edit none = {0};
    struct arena *arena = &t->body->arena;

    t->id = r->table_id;
    t->database = arena_strndup(arena, source->database, strlen(source->database));
    t->name = arena_strndup(arena, source->name, strlen(source->name));
    t->created_ms = r->created_ms;
    t->modified_ms = r->modified_ms;
    t->remote_data_dir = r->remote_data_dir == NULL
                             ? NULL
                             : arena_strndup(arena, r->remote_data_dir, strlen(r->remote_data_dir));
    if (load_body(t, source, e) != ERR_OK) {
        error_wrap(e, "table %s.%s", source->database, source->name);
        (void)meta_table_unref(t);
        return corrupt(e);
    }
    if (source->leader_epochs == NULL) {
        t->partitions = view_partitions_new(NULL, &none);
    } else {
        t->buckets = load_buckets(source->leader_epochs, source->bucket_count, arena);
    }
    *ret = t;
    return ERR_OK;
}

/* ---- partitions ---- */

enum errcode load_partition(const struct partition_source *source, struct meta_partition **ret,
                            struct error *e)
{
    const char *remote = source->registration->remote_data_dir;
    struct meta_partition *p = view_partition_new();

    p->id = source->registration->partition_id;
    p->table_id = source->registration->table_id;
    p->name = arena_strndup(&p->arena, source->name, strlen(source->name));
    p->remote_data_dir = remote == NULL ? NULL : arena_strndup(&p->arena, remote, strlen(remote));
    p->buckets = load_buckets(source->leader_epochs, source->bucket_count, &p->arena);
    if (partition_split_name(p->name, source->key_count, &p->arena, &p->values, e) != ERR_OK) {
        error_wrap(e, "partition %s", source->name);
        (void)view_partition_unref(p);
        return corrupt(e);
    }
    *ret = p;
    return ERR_OK;
}

/* ---- the store ---- */

/* The leader document decoded last. Those of a table's buckets are mostly the same text, and reading
 * JSON for each bucket would be most of the time of a start. */
struct leader_memo {
    uint8_t document[256];
    size_t len;
    int32_t epoch;
};

/* What loading reads with. The scratch memory is that of one table or partition. */
struct loader {
    struct meta *meta;
    struct meta_view *view;
    struct leader_memo *memo;
    struct arena *arena;
};

static enum errcode get_required(struct loader *l, const char *path, struct bytes *ret,
                                 struct error *e)
{
    struct store_node node = {0};
    bool exists = false;

    TRY(store_get(l->meta->store, path, l->arena, &node, &exists, e));
    if (!exists || node.data.len == 0) {
        return error_set(e, ERR_CORRUPT_FILE, "%s is missing in the metadata", path);
    }
    *ret = node.data;
    return ERR_OK;
}

/* The epoch that this start gives to a bucket (meta.h). */
static enum errcode leader_epoch(struct loader *l, const char *path, struct bytes data,
                                 int32_t *ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct znode_leader leader = {0};
    int64_t epoch;

    TRY(znode_leader_decode(data, path, &arena, &leader, e));
    epoch = (int64_t)leader.leader_epoch + l->view->coordinator_epoch - leader.coordinator_epoch;
    if (leader.leader_epoch < 0 || leader.coordinator_epoch > l->view->coordinator_epoch ||
        epoch > INT32_MAX) {
        return error_set(e, ERR_CORRUPT_FILE,
                         "%s: leader epoch %" PRId32 " of coordinator epoch %" PRId32
                         " cannot be, the coordinator is at %" PRId32,
                         path, leader.leader_epoch, leader.coordinator_epoch,
                         l->view->coordinator_epoch);
    }
    *ret = (int32_t)epoch;
    return ERR_OK;
}

static enum errcode read_leader(struct loader *l, const char *path, int32_t *ret, struct error *e)
{
    struct leader_memo *memo = l->memo;
    struct bytes data = BYTES_EMPTY;

    TRY(get_required(l, path, &data, e));
    if (!bytes_equal(data, bytes_of(memo->document, memo->len))) {
        TRY(leader_epoch(l, path, data, &memo->epoch, e));
        memo->len = data.len <= sizeof memo->document ? data.len : 0;
        memcpy(memo->document, data.data, memo->len);
    }
    *ret = memo->epoch;
    return ERR_OK;
}

static enum errcode read_buckets(struct loader *l, int64_t table_id, int64_t partition_id,
                                 const int32_t **ret, int32_t *ret_count, struct error *e)
{
    const char *path = znode_assignment_path(l->arena, table_id, partition_id);
    struct znode_assignment a = {0};
    struct bytes data = BYTES_EMPTY;
    int32_t *epochs;

    TRY(get_required(l, path, &data, e));
    TRY(znode_assignment_decode(data, path, l->arena, &a, e));
    epochs = arena_array(l->arena, (size_t)a.bucket_count, sizeof *epochs);
    for (int32_t b = 0; b < a.bucket_count; b++) {
        TRY(read_leader(l, znode_leader_path(l->arena, table_id, partition_id, b), &epochs[b], e));
    }
    *ret = epochs;
    *ret_count = a.bucket_count;
    return ERR_OK;
}

/* Schema documents 1 .. count: ids without a gap. */
static enum errcode read_schemas(struct loader *l, struct table_source *source, struct error *e)
{
    struct store_names names = {0};
    struct bytes *documents;

    TRY(store_children(l->meta->store, znode_schemas_path(l->arena, source->database, source->name),
                       l->arena, &names, e));
    documents = arena_array(l->arena, names.count, sizeof *documents);
    for (size_t i = 0; i < names.count; i++) {
        TRY(get_required(
            l, znode_schema_path(l->arena, source->database, source->name, (int32_t)i + 1),
            &documents[i], e));
    }
    source->schemas = documents;
    source->schema_count = names.count;
    return ERR_OK;
}

static enum errcode read_partition(struct loader *l, const struct meta_table *t, const char *name,
                                   struct meta_partition **ret, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct loader inner = {.meta = l->meta, .view = l->view, .memo = l->memo, .arena = &arena};
    const char *path =
        arena_printf(&arena, "%s/%s", znode_partitions_path(&arena, t->database, t->name), name);
    struct znode_partition p = {0};
    struct partition_source source = {
        .name = name, .registration = &p, .key_count = t->descriptor->def.partition_keys.count};
    struct bytes data = BYTES_EMPTY;

    TRY(get_required(&inner, path, &data, e));
    TRY(znode_partition_decode(data, path, &arena, &p, e));
    TRY(read_buckets(&inner, t->id, p.partition_id, &source.leader_epochs, &source.bucket_count,
                     e));
    return load_partition(&source, ret, e);
}

static enum errcode read_partitions(struct loader *l, const struct meta_table *t, struct error *e)
{
    struct store_names names = {0};
    struct partitions_edit edit = {0};
    enum errcode code = ERR_OK;

    TRY(store_children(l->meta->store, znode_partitions_path(l->arena, t->database, t->name),
                       l->arena, &names, e));
    edit.added = arena_array(l->arena, names.count, sizeof *edit.added);
    for (size_t i = 0; i < names.count && code == ERR_OK; i++) {
        code = read_partition(l, t, names.names[i], &edit.added[i], e);
        edit.added_count += code == ERR_OK ? 1 : 0;
    }
    if (code != ERR_OK) {
        for (size_t i = 0; i < edit.added_count; i++) {
            (void)view_partition_unref(edit.added[i]);
        }
        return code;
    }
    view_put_table(l->view, view_table_with_partitions(t, view_partitions_new(NULL, &edit)));
    return ERR_OK;
}

static enum errcode read_table(struct loader *l, const char *database, const char *name,
                               struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct loader inner = {.meta = l->meta, .view = l->view, .memo = l->memo, .arena = &arena};
    const char *path = znode_table_path(&arena, database, name);
    struct znode_table registration = {0};
    struct table_source source = {
        .database = database, .name = name, .registration = &registration};
    struct bytes data = BYTES_EMPTY;
    struct meta_table *t = NULL;

    TRY(get_required(&inner, path, &data, e));
    TRY(znode_table_decode(data, path, &arena, &registration, e));
    TRY(read_schemas(&inner, &source, e));
    if (registration.partition_keys.count == 0) {
        TRY(read_buckets(&inner, registration.table_id, META_NO_PARTITION, &source.leader_epochs,
                         &source.bucket_count, e));
    }
    if (meta_view_table_by_id(l->view, registration.table_id) != NULL) {
        return error_set(e, ERR_CORRUPT_FILE, "%s: table id %" PRId64 " is taken", path,
                         registration.table_id);
    }
    TRY(load_table(&source, &t, e));
    view_put_table(l->view, t);
    return meta_table_partitioned(t) ? read_partitions(&inner, t, e) : ERR_OK;
}

static enum errcode read_database(struct loader *l, const char *name, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct loader inner = {.meta = l->meta, .view = l->view, .memo = l->memo, .arena = &arena};
    const char *path = znode_database_path(&arena, name);
    struct znode_database d = {0};
    struct store_names tables = {0};
    struct bytes data = BYTES_EMPTY;

    TRY(get_required(&inner, path, &data, e));
    TRY(znode_database_decode(data, path, &arena, &d, e));
    view_put_database(l->view, load_database(name, &d));
    TRY(store_children(l->meta->store, znode_tables_path(&arena, name), &arena, &tables, e));
    for (size_t i = 0; i < tables.count; i++) {
        TRY(read_table(l, name, tables.names[i], e));
    }
    return ERR_OK;
}

enum errcode load_view(struct meta *m, int32_t coordinator_epoch, struct meta_view **ret,
                       struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(meta_view_unrefp) struct meta_view *view = view_edit(NULL);
    struct leader_memo memo = {.len = 0};
    struct loader l = {.meta = m, .view = view, .memo = &memo, .arena = &arena};
    struct store_names databases = {0};

    view->version = 1;
    view->coordinator_epoch = coordinator_epoch;
    TRY(store_children(m->store, ZNODE_DATABASES, &arena, &databases, e));
    for (size_t i = 0; i < databases.count; i++) {
        TRY(read_database(&l, databases.names[i], e));
    }
    *ret = TAKE(view);
    return ERR_OK;
}
