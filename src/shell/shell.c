#include "command.h"
#include "interactive.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"
#include "io/terminal.h"

#define SCRIPT_SIZE_MAX ((size_t)1 << 30)

/* ---- items ---- */

enum session_result shell_item(struct shell *s, struct script *script, bool last, bool *ret_some)
{
    enum session_result result = SESSION_FINE;
    struct script *outer = s->script;
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes text;
    enum script_item item = script_take(script, last, &text);

    text = item == SCRIPT_NOTHING ? BYTES_EMPTY : arena_copy(&arena, text); /* COPY takes more */
    s->script = script;
    *ret_some = item != SCRIPT_NOTHING;
    if (item == SCRIPT_COMMAND) {
        result = command_run(s, text);
    } else if (item == SCRIPT_STATEMENT) {
        result = shell_statement(s, text);
    }
    s->script = outer;
    return result;
}

/* Everything that is whole, up to what fails; last: nothing follows. */
static enum session_result run_items(struct shell *s, struct script *script, bool last)
{
    enum session_result result = SESSION_FINE;
    bool some = true;

    while (some && result == SESSION_FINE && !s->quit) {
        result = shell_item(s, script, last, &some);
    }
    return result;
}

static enum session_result run_text(struct shell *s, struct bytes text)
{
    OWNED(script_fini) struct script script = {.start = 0};

    script_add(&script, text);
    return run_items(s, &script, true);
}

enum session_result shell_file(struct shell *s, const char *path)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    bool (*more)(struct shell *) = s->more;
    enum session_result result;
    struct bytes text;
    struct error e;
    bool exists = false;

    if (s->depth == SESSION_DEPTH_MAX) {
        fprintf(stderr, "eider sql: %s: scripts are nested too deeply\n", path);
        return SESSION_FAILED;
    }
    if (file_read_whole(path, SCRIPT_SIZE_MAX, &arena, &text, &exists, &e) != ERR_OK || !exists) {
        fprintf(stderr, "eider sql: %s\n", exists ? e.message : path);
        return SESSION_FAILED;
    }
    s->depth++;
    s->more = NULL;
    result = run_text(s, text);
    s->more = more;
    s->depth--;
    return result;
}

/* ---- standard input that is no terminal ---- */

struct lines {
    char *line;
    size_t cap;
};

static bool more_lines(struct shell *s)
{
    struct lines *lines = s->more_context;
    ssize_t len = getline(&lines->line, &lines->cap, stdin);

    if (len < 0) {
        return false;
    }
    script_add(s->script, bytes_of(lines->line, (size_t)len));
    return true;
}

static enum session_result run_input(struct shell *s)
{
    OWNED(script_fini) struct script script = {.start = 0};
    enum session_result result = SESSION_FINE;
    struct lines lines = {.line = NULL};
    bool more = true;

    s->more = more_lines;
    s->more_context = &lines;
    while (more && result == SESSION_FINE && !s->quit) {
        s->script = &script;
        more = more_lines(s);
        result = run_items(s, &script, !more);
    }
    free(lines.line);
    return result;
}

/* ---- all of it ---- */

static enum session_result run_commands(struct shell *s)
{
    const struct shell_options *o = s->options;
    enum session_result result = SESSION_FINE;
    struct lines lines = {.line = NULL};

    s->more = more_lines; /* data of COPY */
    s->more_context = &lines;
    for (size_t i = 0; i < o->command_count && result == SESSION_FINE && !s->quit; i++) {
        result = run_text(s, bytes_str(o->commands[i]));
    }
    s->more = NULL;
    free(lines.line);
    return result;
}

static int run_all(struct shell *s)
{
    const struct shell_options *o = s->options;
    enum session_result result = run_commands(s);

    if (result != SESSION_FINE) {
        return result == SESSION_LOST ? SHELL_USAGE : SHELL_FAILED;
    }
    if (o->script != NULL && !s->quit) {
        result = shell_file(s, o->script);
    } else if (o->command_count == 0 && terminal_is(STDIN_FILENO) && terminal_is(STDOUT_FILENO)) {
        return interactive_run(s);
    } else if (o->command_count == 0) {
        result = run_input(s);
    }
    return result == SESSION_FINE   ? SHELL_FINE
           : result == SESSION_LOST ? SHELL_USAGE
                                    : SHELL_STOPPED;
}

int shell_run(const struct shell_options *options)
{
    struct shell s = {
        .options = options,
        .look = {.format = options->format, .bare = options->bare},
        .timing = options->timing,
        .interrupt = options->interrupt,
    };
    struct error e;
    int code;

    s.output = (struct output){.options = &s.look, .sink = &s.out};
    sink_init(&s.out, STDOUT_FILENO);
    if (shell_connect(&s, options->client.database, &e) != ERR_OK) {
        fprintf(stderr, "eider sql: %s: %s\n", options->place, e.message);
        code = SHELL_USAGE;
    } else {
        s.interrupt = s.interrupt < 0 ? interrupt_open() : s.interrupt;
        client_watch(s.client, s.interrupt);
        code = run_all(&s);
    }
    client_close(s.client);
    sink_fini(&s.out);
    arena_fini(&s.output.arena);
    arena_fini(&s.arena);
    arena_fini(&s.names);
    return code;
}
