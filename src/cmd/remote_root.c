#include "remote_root.h"

#include "io/file.h"

static struct remote_root root_of(const char *path, struct arena *arena)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    path = arena_strndup(arena, path, len);
    return (struct remote_root){.dir = path, .uri = arena_printf(arena, "file://%s", path)};
}

enum errcode remote_root_find(const char *option, const char *data_dir, struct arena *arena,
                              struct remote_root *ret, struct error *e)
{
    const char *path;
    char *base = NULL;

    if (option == NULL || option[0] == '\0') {
        TRY(path_absolute(data_dir, arena, &base, e));
        *ret = root_of(arena_printf(arena, "%s/remote", base), arena);
        return ERR_OK;
    }
    path = path_of_uri(option);
    if (path == NULL) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "remote.data.dir: found \"%.200s\", expected an absolute path of this "
                         "machine or a file: URI; other storage is not supported by this version",
                         option);
    }
    *ret = root_of(path, arena);
    return ERR_OK;
}
