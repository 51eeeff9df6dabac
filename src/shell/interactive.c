#include "interactive.h"

#include "complete.h"
#include "edit.h"

#include <stdio.h>
#include <stdlib.h>

#define HISTORY_NAME ".eider_history"

struct person {
    struct shell *shell;
    struct edit *edit;
    struct complete complete;
    struct script script;
    struct buffer statement; /* its lines, for the history */
};

static void on_complete(void *context, struct bytes before, struct arena *arena,
                        struct edit_matches *ret)
{
    struct person *p = context;
    struct error e;

    /* without a server the keywords are left, and the next statement tells */
    IGNORE(complete_refresh(&p->complete, p->shell->client, &e));
    complete_find(&p->complete, before, arena, ret);
}

static const char *history_path(struct arena *arena)
{
    const char *given = getenv("EIDER_HISTORY");
    const char *home = getenv("HOME");

    if (given != NULL) {
        return given[0] == '\0' ? NULL : given;
    }
    return home == NULL || home[0] == '\0' ? NULL : arena_printf(arena, "%s/" HISTORY_NAME, home);
}

/* false: the server is gone. */
static bool lost(struct person *p)
{
    struct shell *s = p->shell;
    struct error e;

    script_clear(&p->script);
    if (shell_connect(s, s->dialled.database, &e) != ERR_OK) {
        fprintf(stderr, "eider sql: %s: %s\n", s->options->place, e.message);
        return false;
    }
    fprintf(stderr, "The connection was lost; this is a new one.\n");
    return true;
}

/* All that is whole; a statement that fails does not keep the next from being run. */
static bool run_whole(struct person *p)
{
    enum session_result result = SESSION_FINE;
    bool some = true;

    while (some && result != SESSION_LOST && !p->shell->quit) {
        result = shell_item(p->shell, &p->script, false, &some);
        p->complete.fresh = p->complete.fresh && !some;
    }
    return result != SESSION_LOST || lost(p);
}

/* A statement of several lines is one entry of the history, unless a comment up to the end of a line
 * forbids it. */
static bool take_line(struct person *p, struct bytes line)
{
    bool going;

    buffer_bytes(&p->statement, line); /* the line itself is the library's */
    script_add(&p->script, line);
    going = run_whole(p);
    if (script_empty(&p->script) || memmem(p->statement.data, p->statement.len, "--", 2) != NULL) {
        edit_remember(p->edit, buffer_view(&p->statement));
        buffer_clear(&p->statement);
    }
    return going;
}

static bool more_lines(struct shell *s)
{
    struct person *p = s->more_context;
    struct bytes line;

    if (edit_line(p->edit, ">> ", &line) != EDIT_LINE) {
        return false;
    }
    script_add(&p->script, line);
    return true;
}

static int loop(struct person *p)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes line;
    const char *prompt;

    for (;;) {
        arena_reset(&arena);
        prompt = arena_printf(&arena, "%s%s ", p->shell->dialled.database,
                              script_empty(&p->script) ? "=>" : "->");
        switch (edit_line(p->edit, prompt, &line)) {
        case EDIT_INTERRUPT:
            script_clear(&p->script);
            buffer_clear(&p->statement);
            break;
        case EDIT_END:
            printf("\n");
            return SHELL_FINE;
        case EDIT_LINE:
            if (!take_line(p, line)) {
                return SHELL_USAGE;
            }
        }
        if (p->shell->quit) {
            return SHELL_FINE;
        }
    }
}

int interactive_run(struct shell *s)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct person p = {.shell = s};
    struct edit_options options = {
        .history = history_path(&arena), .complete = on_complete, .context = &p};
    int code;

    printf("eider %s, %s, database %s. \\? lists the commands, \\q quits.\n", EIDER_VERSION,
           s->options->place, s->dialled.database);
    p.edit = edit_new(&options);
    s->more = more_lines;
    s->more_context = &p;
    code = loop(&p);
    edit_free(p.edit);
    complete_fini(&p.complete);
    script_fini(&p.script);
    buffer_fini(&p.statement);
    return code;
}
