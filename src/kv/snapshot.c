#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#define VERSION    1
#define UUID_BYTES 37 /* text with its end */

/* ---- writing ---- */

static void format_files(struct json_writer *w, const char *key,
                         const struct kv_snapshot_files *files)
{
    json_write_key(w, key);
    json_write_array(w);
    for (size_t i = 0; i < files->count; i++) {
        const struct kv_snapshot_file *file = &files->items[i];

        json_write_object(w);
        json_write_key(w, "kv_file_handle");
        json_write_object(w);
        json_write_string_member(w, "path", file->path);
        json_write_int_member(w, "size", file->size);
        json_write_end(w);
        json_write_string_member(w, "local_path", file->name);
        if (file->has_checksum) {
            json_write_int_member(w, "crc32c", file->checksum);
        }
        json_write_end(w);
    }
    json_write_end(w);
}

static void format_ids(struct json_writer *w, const struct kv_id_range *ids)
{
    json_write_key(w, "auto_inc_id_range");
    json_write_array(w);
    json_write_object(w);
    json_write_int_member(w, "column_id", ids->column_id);
    json_write_int_member(w, "start", ids->start);
    json_write_int_member(w, "end", ids->end);
    json_write_end(w);
    json_write_end(w);
}

static void format_checkpoint(struct json_writer *w, const struct kv_checkpoint *c)
{
    char lineage[17];

    json_write_int_member(w, "log_offset", c->state.offset);
    if (c->state.row_count >= 0) {
        json_write_int_member(w, "row_count", c->state.row_count);
    }
    if (c->state.has_ids) {
        format_ids(w, &c->state.ids);
    }
    if (c->lineage != 0) {
        (void)snprintf(lineage, sizeof lineage, "%016llx", (unsigned long long)c->lineage);
        json_write_string_member(w, "lineage", lineage);
        json_write_int_member(w, "table_max", (int64_t)c->table_max);
        json_write_checksum(w);
    }
}

void kv_snapshot_format(const struct kv_snapshot *s, struct json_writer *ret)
{
    json_write_object(ret);
    json_write_int_member(ret, "version", VERSION);
    json_write_int_member(ret, "table_id", s->table_id);
    if (s->partition_id >= 0) {
        json_write_int_member(ret, "partition_id", s->partition_id);
    }
    json_write_int_member(ret, "bucket_id", s->bucket);
    json_write_int_member(ret, "snapshot_id", s->id);
    json_write_string_member(ret, "snapshot_location", s->location);
    json_write_key(ret, "kv_snapshot_handle");
    json_write_object(ret);
    format_files(ret, "shared_file_handles", &s->shared);
    format_files(ret, "private_file_handles", &s->own);
    json_write_int_member(ret, "snapshot_incremental_size", s->incremental_size);
    json_write_end(ret);
    format_checkpoint(ret, &s->checkpoint);
    json_write_end(ret);
}

/* ---- reading ---- */

/* A name that stays inside the directory it is put into. */
static bool is_file_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static enum errcode parse_checksum(const struct json *json, struct kv_snapshot_file *ret,
                                   struct error *e)
{
    int64_t checksum = -1;

    TRY(json_opt_i64(json, "crc32c", &checksum, e));
    if (checksum < -1 || checksum > UINT32_MAX) {
        return json_fail(json, e, "crc32c %lld", (long long)checksum);
    }
    ret->has_checksum = checksum >= 0;
    ret->checksum = ret->has_checksum ? (uint32_t)checksum : 0;
    return ERR_OK;
}

static enum errcode parse_file(const struct json *json, struct kv_snapshot_file *ret,
                               struct error *e)
{
    const struct json *handle = NULL;

    TRY(json_get_object(json, "kv_file_handle", &handle, e));
    TRY(json_get_string(handle, "path", &ret->path, e));
    TRY(json_get_i64(handle, "size", &ret->size, e));
    TRY(json_get_string(json, "local_path", &ret->name, e));
    TRY(parse_checksum(json, ret, e));
    if (ret->size < 0) {
        return json_fail(handle, e, "size %lld", (long long)ret->size);
    }
    if (!is_file_name(ret->name)) {
        return json_fail(json, e, "local_path \"%s\" is no file name", ret->name);
    }
    return ERR_OK;
}

static enum errcode parse_files(const struct json *handle, const char *key, struct arena *arena,
                                struct kv_snapshot_files *ret, struct error *e)
{
    const struct json *array = NULL;

    TRY(json_get_array(handle, key, &array, e));
    if (json_count(array) > KV_SNAPSHOT_FILES_MAX) {
        return json_fail(array, e, "%zu files", json_count(array));
    }
    ret->items = arena_array(arena, json_count(array), sizeof *ret->items);
    JSON_FOR_EACH(one, array) { TRY(parse_file(one, &ret->items[ret->count++], e)); }
    return ERR_OK;
}

static enum errcode parse_ids(const struct json *root, struct kv_state *ret, struct error *e)
{
    const struct json *array = NULL;
    const struct json *range;

    TRY(json_opt_array(root, "auto_inc_id_range", &array, e));
    if (array == NULL || json_count(array) == 0) {
        return ERR_OK;
    }
    if (json_count(array) > 1) {
        return json_fail(array, e, "%zu auto-increment columns, at most one", json_count(array));
    }
    range = json_at(array, 0);
    ret->has_ids = true;
    TRY(json_get_i32(range, "column_id", &ret->ids.column_id, e));
    TRY(json_get_i64(range, "start", &ret->ids.start, e));
    return json_get_i64(range, "end", &ret->ids.end, e);
}

static enum errcode parse_lineage(const struct json *root, struct kv_checkpoint *ret,
                                  struct error *e)
{
    const char *text = NULL;
    int64_t table_max = 0;
    char *end = NULL;

    TRY(json_opt_string(root, "lineage", &text, e));
    TRY(json_opt_i64(root, "table_max", &table_max, e));
    if (text == NULL) {
        return ERR_OK;
    }
    ret->lineage = strtoull(text, &end, 16);
    if (strspn(text, "0123456789abcdef") != 16 || *end != '\0' || table_max < 0) {
        return json_fail(root, e, "lineage \"%s\", table_max %lld", text, (long long)table_max);
    }
    ret->table_max = (uint64_t)table_max;
    return ERR_OK;
}

static enum errcode parse_checkpoint(const struct json *root, struct kv_checkpoint *ret,
                                     struct error *e)
{
    ret->state.row_count = -1;
    TRY(json_get_i64(root, "log_offset", &ret->state.offset, e));
    TRY(json_opt_i64(root, "row_count", &ret->state.row_count, e));
    if (ret->state.offset < 0 || ret->state.row_count < -1) {
        return json_fail(root, e, "log_offset %lld, row_count %lld", (long long)ret->state.offset,
                         (long long)ret->state.row_count);
    }
    TRY(parse_ids(root, &ret->state, e));
    return parse_lineage(root, ret, e);
}

static enum errcode parse_root(const struct json *root, struct arena *arena,
                               struct kv_snapshot *ret, struct error *e)
{
    const struct json *handle = NULL;
    int32_t version = 0;

    TRY(json_get_i32(root, "version", &version, e));
    if (version != VERSION) {
        return json_fail(root, e, "version %d, expected %d", version, VERSION);
    }
    ret->partition_id = -1;
    TRY(json_get_i64(root, "table_id", &ret->table_id, e));
    TRY(json_opt_i64(root, "partition_id", &ret->partition_id, e));
    TRY(json_get_i32(root, "bucket_id", &ret->bucket, e));
    TRY(json_get_i64(root, "snapshot_id", &ret->id, e));
    TRY(json_get_string(root, "snapshot_location", &ret->location, e));
    if (ret->table_id < 0 || ret->partition_id < -1 || ret->bucket < 0 || ret->id < 0) {
        return json_fail(root, e, "a negative id");
    }
    TRY(json_get_object(root, "kv_snapshot_handle", &handle, e));
    TRY(parse_files(handle, "shared_file_handles", arena, &ret->shared, e));
    TRY(parse_files(handle, "private_file_handles", arena, &ret->own, e));
    TRY(json_get_i64(handle, "snapshot_incremental_size", &ret->incremental_size, e));
    return parse_checkpoint(root, &ret->checkpoint, e);
}

enum errcode kv_snapshot_parse(struct bytes text, struct arena *arena, struct kv_snapshot *ret,
                               struct error *e)
{
    static const struct json_options options = {
        .name = "snapshot metadata",
        .code = ERR_CORRUPT_FILE,
        .size_bytes_max = KV_SNAPSHOT_SIZE_MAX,
    };
    const struct json *root = NULL;
    struct kv_snapshot s = {0};

    TRY(json_parse(text, &options, arena, &root, e));
    TRY(json_check_checksum(text, root, e));
    TRY(parse_root(root, arena, &s, e));
    *ret = s;
    return ERR_OK;
}

/* ---- decisions ---- */

static const char *make_uuid(const struct kv_snapshot_request *r, char text[UUID_BYTES])
{
    uint64_t high = (r->random() & 0xffffffffffff0fffu) | 0x4000u; /* version 4: random */
    uint64_t low = (r->random() >> 2) | (uint64_t)1 << 63;         /* variant of RFC 4122 */

    (void)snprintf(text, UUID_BYTES, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                   (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff),
                   (unsigned)(low >> 48), (unsigned long long)(low & 0xffffffffffffu));
    return text;
}

bool kv_snapshot_is_of(const struct kv_snapshot *s, const char *remote)
{
    size_t len = strlen(remote);

    return strncmp(s->location, remote, len) == 0 && s->location[len] == '/' &&
           strchr(s->location + len + 1, '/') == NULL;
}

/* The file of the base with the same contents. */
static const struct kv_snapshot_file *find_shared(const struct kv_snapshot_request *r,
                                                  const struct kv_local_file *file)
{
    const struct kv_snapshot *base = r->base;
    uint64_t number = kv_table_number(file->name);

    if (base == NULL || base->checkpoint.lineage == 0 ||
        base->checkpoint.lineage != r->checkpoint.lineage || number > base->checkpoint.table_max ||
        !kv_snapshot_is_of(base, r->remote)) {
        return NULL;
    }
    for (size_t i = 0; i < base->shared.count; i++) {
        const struct kv_snapshot_file *one = &base->shared.items[i];

        if (one->size == file->size && strcmp(one->name, file->name) == 0) {
            return one;
        }
    }
    return NULL;
}

static void plan_copy(const struct kv_snapshot_request *r, const struct kv_local_file *file,
                      bool shared, struct arena *arena, struct kv_snapshot_plan *ret)
{
    struct kv_snapshot_files *files = shared ? &ret->snapshot.shared : &ret->snapshot.own;
    char uuid[UUID_BYTES];
    char *path = shared ? arena_printf(arena, "shared/%s", make_uuid(r, uuid))
                        : arena_printf(arena, "snap-%lld/%s", (long long)r->id, make_uuid(r, uuid));

    ret->copies[ret->copy_count++] = (struct kv_snapshot_copy){
        .name = file->name, .path = path, .file = &files->items[files->count]};
    files->items[files->count++] = (struct kv_snapshot_file){
        .path = arena_printf(arena, "%s/%s", r->remote, path),
        .name = file->name,
        .size = file->size,
    };
    ret->snapshot.incremental_size += file->size;
}

void kv_snapshot_make_plan(const struct kv_snapshot_request *r, struct arena *arena,
                           struct kv_snapshot_plan *ret)
{
    struct kv_snapshot_file *items = arena_array(arena, r->file_count * 2, sizeof *items);

    *ret = (struct kv_snapshot_plan){
        .snapshot = {.table_id = r->table_id,
                     .partition_id = r->partition_id,
                     .bucket = r->bucket,
                     .id = r->id,
                     .location = arena_printf(arena, "%s/snap-%lld", r->remote, (long long)r->id),
                     .shared = {.items = items},
                     .own = {.items = items + r->file_count},
                     .checkpoint = r->checkpoint},
        .copies = arena_array(arena, r->file_count, sizeof *ret->copies),
    };
    for (size_t i = 0; i < r->file_count; i++) {
        const struct kv_local_file *file = &r->files[i];
        uint64_t number = kv_table_number(file->name);
        bool shared = number > 0 && number <= r->checkpoint.table_max;
        const struct kv_snapshot_file *before = shared ? find_shared(r, file) : NULL;

        if (before != NULL) {
            ret->snapshot.shared.items[ret->snapshot.shared.count++] = *before;
        } else {
            plan_copy(r, file, shared, arena, ret);
        }
    }
}
