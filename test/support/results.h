/* One result of texts through an output. */
#ifndef TEST_SUPPORT_RESULTS_H
#define TEST_SUPPORT_RESULTS_H

#include "pg_fake.h"

#include "shell/output.h"

#define RESULT_COLUMNS 4

/* texts: names in the first row, then values, by columns; NULL is NULL. */
static inline const char *shown(const struct output_options *options, const uint32_t *types,
                                size_t columns, const char *const *texts, size_t rows)
{
    static struct sink sink;
    struct client_column described[RESULT_COLUMNS];
    struct client_cell cells[RESULT_COLUMNS];
    struct output o = {.options = options, .sink = &sink};
    const char *got;

    assert_true(columns <= RESULT_COLUMNS);
    caught_begin(&sink);
    for (size_t i = 0; i < columns; i++) {
        described[i] = (struct client_column){.name = texts[i], .type = types[i], .modifier = -1};
    }
    output_begin(&o, described, columns);
    for (size_t row = 1; row <= rows; row++) {
        for (size_t i = 0; i < columns; i++) {
            const char *text = texts[row * columns + i];

            cells[i] = (struct client_cell){.null = text == NULL};
            cells[i].text = text == NULL ? BYTES_EMPTY : bytes_str(text);
        }
        output_row(&o, cells);
    }
    output_end(&o);
    got = caught(&sink);
    caught_end(&sink);
    arena_fini(&o.arena);
    return got;
}

#endif
