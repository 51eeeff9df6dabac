/* A directory of a test's own. */
#ifndef TEST_UNIT_IO_DIRECTORY_H
#define TEST_UNIT_IO_DIRECTORY_H

#include <stdlib.h>

#include "../../support/unit.h"
#include "io/file.h"

struct place {
    struct arena arena;
    char *dir;
};

static inline int setup(void **state)
{
    struct place *p = mem_new(struct place);

    assert_int_equal(dir_create_temporary("io-test", &p->arena, &p->dir, NULL), ERR_OK);
    *state = p;
    return 0;
}

static inline int teardown(void **state)
{
    struct place *p = *state;

    assert_int_equal(path_remove_tree(p->dir, NULL), ERR_OK);
    assert_false(path_exists(p->dir));
    arena_fini(&p->arena);
    free(p);
    return 0;
}

static inline char *at(struct place *p, const char *name)
{
    return arena_printf(&p->arena, "%s/%s", p->dir, name);
}

static inline void put(struct place *p, const char *name, const char *text)
{
    struct error e;

    if (file_replace(at(p, name), bytes_str(text), &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
}

#endif
