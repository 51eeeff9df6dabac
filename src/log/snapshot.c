#include "snapshot.h"

#include "names.h"

#define SNAPSHOT_VERSION  1
#define REFERENCE_MEMBERS 2

static void format_batch(struct json_writer *ret, int64_t id, const struct writer_batch *batch)
{
    json_write_object(ret);
    json_write_int_member(ret, "writer_id", id);
    json_write_int_member(ret, "last_batch_sequence", batch->sequence);
    json_write_int_member(ret, "last_batch_base_offset", batch->last_offset);
    json_write_int_member(ret, "offset_delta", batch->offset_delta);
    json_write_int_member(ret, "last_batch_timestamp", batch->timestamp);
    json_write_end(ret);
}

static const struct log_writer *of_link(const struct list *link)
{
    return container_of(link, const struct log_writer, link);
}

static bool any_earlier(const struct writers *writers)
{
    LIST_FOR_EACH(it, &writers->by_age)
    {
        if (of_link(it)->count > 1) {
            return true;
        }
    }
    return false;
}

static void format_earlier(const struct writers *writers, struct json_writer *ret)
{
    json_write_key(ret, "earlier_batches");
    json_write_array(ret);
    LIST_FOR_EACH(it, &writers->by_age)
    {
        const struct log_writer *writer = of_link(it);

        for (uint32_t i = 0; i + 1 < writer->count; i++) {
            format_batch(ret, writer->id, &writer->batches[i]);
        }
    }
    json_write_end(ret);
}

void snapshot_format(const struct writers *writers, struct json_writer *ret)
{
    json_write_object(ret);
    json_write_int_member(ret, "version", SNAPSHOT_VERSION);
    json_write_key(ret, "writer_id_entries");
    json_write_array(ret);
    LIST_FOR_EACH(it, &writers->by_age)
    {
        const struct log_writer *writer = of_link(it);

        if (writer->count > 0) {
            format_batch(ret, writer->id, &writer->batches[writer->count - 1]);
        }
    }
    json_write_end(ret);
    if (any_earlier(writers)) {
        format_earlier(writers, ret);
    }
    json_write_checksum(ret);
    json_write_end(ret);
}

/* ---- parsing ---- */

static enum errcode parse_batch(const struct json *json, int64_t offset, struct writers *ret,
                                struct error *e)
{
    struct writer_batch batch = {0};
    int64_t id = 0;

    TRY(json_get_i64(json, "writer_id", &id, e));
    TRY(json_get_i32(json, "last_batch_sequence", &batch.sequence, e));
    TRY(json_get_i64(json, "last_batch_base_offset", &batch.last_offset, e));
    TRY(json_get_i32(json, "offset_delta", &batch.offset_delta, e));
    TRY(json_get_i64(json, "last_batch_timestamp", &batch.timestamp, e));
    if (id == -1 || batch.sequence < 0 || batch.offset_delta < 0 || batch.last_offset >= offset ||
        batch.last_offset < batch.offset_delta) {
        return json_fail(json, e, "no batch below the snapshot's offset");
    }
    writers_add(ret, id, &batch);
    return ERR_OK;
}

static enum errcode parse_batches(const struct json *array, int64_t offset, struct writers *ret,
                                  struct error *e)
{
    JSON_FOR_EACH(one, array) { TRY(parse_batch(one, offset, ret, e)); }
    return ERR_OK;
}

enum errcode snapshot_parse(struct bytes text, int64_t offset, struct writers *ret, struct error *e)
{
    static const struct json_options options = {
        .name = "writer snapshot",
        .code = ERR_CORRUPT_FILE,
        .size_bytes_max = JSON_FILE_SIZE_MAX,
    };
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const struct json *root = NULL;
    const struct json *entries = NULL;
    const struct json *earlier = NULL;
    int32_t version = 0;

    TRY(json_parse(text, &options, &arena, &root, e));
    TRY(json_get_i32(root, "version", &version, e));
    if (version != SNAPSHOT_VERSION) {
        return json_fail(root, e, "version %d, expected %d", version, SNAPSHOT_VERSION);
    }
    if (json_find(root, JSON_CHECKSUM) == NULL && json_count(root) > REFERENCE_MEMBERS) {
        return json_fail(root, e, "the checksum is missing");
    }
    TRY(json_check_checksum(text, root, e));
    TRY(json_get_array(root, "writer_id_entries", &entries, e));
    TRY(json_opt_array(root, "earlier_batches", &earlier, e));
    if (earlier != NULL) {
        TRY(parse_batches(earlier, offset, ret, e));
    }
    return parse_batches(entries, offset, ret, e);
}

/* ---- files ---- */

static enum errcode write_file(const char *path, struct bytes text, struct file **ret,
                               struct error *e)
{
    OWNED(file_unrefp) struct file *file = NULL;

    TRY(file_open(path, FILE_CREATE, &file, e));
    TRY(file_truncate(file, 0, e));
    TRY(file_write_at(file, 0, text, e));
    *ret = TAKE(file);
    return ERR_OK;
}

enum errcode snapshot_write(const char *dir, int64_t offset, const struct writers *writers,
                            struct file **ret_file, struct error *e)
{
    OWNED(json_writer_fini) struct json_writer json;
    char path[LOG_PATH_MAX];
    enum errcode code;

    log_path(path, dir, offset, LOG_FILE_WRITER_SNAPSHOT);
    json_writer_init(&json, NULL);
    snapshot_format(writers, &json);
    code = write_file(path, json_writer_text(&json), ret_file, e);
    if (code != ERR_OK) {
        IGNORE(path_remove(path, NULL)); /* a torn one would be ignored, too */
    }
    return code;
}

enum errcode snapshot_replace(const char *dir, int64_t offset, const struct writers *writers,
                              struct error *e)
{
    OWNED(json_writer_fini) struct json_writer json;
    char path[LOG_PATH_MAX];

    log_path(path, dir, offset, LOG_FILE_WRITER_SNAPSHOT);
    json_writer_init(&json, NULL);
    snapshot_format(writers, &json);
    return file_replace(path, json_writer_text(&json), e);
}

enum errcode snapshot_read(const char *dir, int64_t offset, struct writers *ret, bool *ret_valid,
                           struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes text = BYTES_EMPTY;
    char path[LOG_PATH_MAX];
    enum errcode code;
    bool exists = false;

    *ret_valid = false;
    log_path(path, dir, offset, LOG_FILE_WRITER_SNAPSHOT);
    code = file_read_whole(path, JSON_FILE_SIZE_MAX, &arena, &text, &exists, e);
    if (code == ERR_OK && exists) {
        code = snapshot_parse(text, offset, ret, e);
    } else if (code == ERR_OK) {
        (void)error_set(e, ERR_CORRUPT_FILE, "%s: missing", path);
    }
    if (code == ERR_OK && exists) {
        *ret_valid = true;
        return ERR_OK;
    }
    writers_fini(ret);
    writers_init(ret);
    return code == ERR_CORRUPT_FILE ? ERR_OK : code;
}
