#include "fixture.h"

#include <sys/mman.h>

#include "log/probe.h"

static bool resident = true;

/* Stands in for the page cache: io asks it here. */
int mincore(void *address, size_t len, unsigned char *pages)
{
    (void)address;
    memset(pages, resident ? 1 : 0, (len + 4095) / 4096);
    return 0;
}

static void reads_or_says_what_is_cold(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    OWNED(file_unrefp) struct file *f = NULL;
    struct probe probe = {.nowait = true};
    char *dir = fixture_dir(&arena);
    uint8_t buffer[8];
    struct writer to = writer_of(buffer, 4);
    struct error e;

    (void)state;
    OK(file_open(arena_printf(&arena, "%s/f", dir), FILE_CREATE, &f, &e));
    OK(file_write_at(f, 0, bytes_str("abcdef"), &e));
    OK(probe_read(&probe, f, 1, &to, &e));
    assert_memory_equal(buffer, "bcde", 4);

    resident = false;
    to = writer_of(buffer, 3);
    assert_int_equal(probe_read(&probe, f, 2, &to, &e), PROBE_COLD);
    assert_ptr_equal(probe.file, f);
    assert_int_equal(probe.position, 2);
    assert_int_equal(probe.len, 3);
    probe.file = file_unref(probe.file);

    OK(probe_read(NULL, f, 4, &to, &e)); /* may wait; the file ends early */
    assert_int_equal(to.len, 2);
    resident = true;
    fixture_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_or_says_what_is_cold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
