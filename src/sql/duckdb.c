#include "duckdb.h"

#include <dlfcn.h>

#include "base/arena.h"
#include "io/file.h"

#define LIBRARY "libduckdb.so"
#define VERSION "v1.5."
/* void duckdb::Vector::Dictionary(idx_t size, const SelectionVector &selection, idx_t count): C++, so the
 * library may do without it, and nothing but speed depends on it. What the call relies on is the same in
 * all of the series: handles of vectors and selections are pointers to Vector and SelectionVector, and in
 * the C++ ABI of Linux a method that is not virtual is a function with the object in front. Its name is
 * made of the types of its arguments, so one with others is not found. */
#define VECTOR_DICTIONARY "_ZN6duckdb6Vector10DictionaryEmRKNS_15SelectionVectorEm"

/* Where we look, first to last; the system's own search comes after that. */
static const char *const places[] = {"", "../lib/", "../lib/eider/"};

/* Stays loaded until the process ends: it has threads. */
static struct duckdb loaded;

static void *open_beside_program(struct arena *arena)
{
    struct error ignored;
    char *program;
    char *slash;

    if (path_absolute("/proc/self/exe", arena, &program, &ignored) != ERR_OK) {
        return NULL;
    }
    slash = strrchr(program, '/');
    *slash = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const char *path = arena_printf(arena, "%s/%s" LIBRARY, program, places[i]);

        if (path_exists(path)) {
            return dlopen(path, RTLD_NOW | RTLD_LOCAL);
        }
    }
    return NULL;
}

static enum errcode find_all(struct duckdb *d, struct error *e)
{
#define X(ret, name, args)                                                                         \
    *(void **)&d->name = dlsym(d->handle, "duckdb_" #name);                                        \
    if (d->name == NULL) {                                                                         \
        return error_set(e, ERR_UNSUPPORTED_OPERATION, "libduckdb has no function duckdb_" #name); \
    }
#include "duckdb.def"
#undef X
    *(void **)&d->vector_dictionary = dlsym(d->handle, VECTOR_DICTIONARY);
    return ERR_OK;
}

enum errcode duckdb_load(const char *path, struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct duckdb d = {0};

    if (loaded.handle != NULL) {
        return ERR_OK;
    }
    if (path != NULL) {
        d.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    } else {
        d.handle = open_beside_program(&arena);
        d.handle = d.handle != NULL ? d.handle : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    }
    if (d.handle == NULL) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION,
                         "SQL needs libduckdb of DuckDB 1.5, which cannot be loaded: %s",
                         dlerror());
    }
    TRY(find_all(&d, e));
    if (strncmp(d.library_version(), VERSION, strlen(VERSION)) != 0 ||
        d.vector_size() != DUCK_VECTOR_SIZE) {
        return error_set(e, ERR_UNSUPPORTED_OPERATION,
                         "SQL needs libduckdb of the series " VERSION "x, found %s",
                         d.library_version());
    }
    loaded = d;
    return ERR_OK;
}

const struct duckdb *duckdb(void)
{
    ASSERT(loaded.handle != NULL);
    return &loaded;
}
