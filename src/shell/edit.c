#include "edit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "io/terminal.h"

#define LIBRARY      "libedit.so.2"
#define HISTORY_SIZE 2000
#define LIST_MAX     200 /* matches that are listed */

/* Of histedit.h, whose package need not be there to build this. */
enum { EL_PROMPT = 0, EL_EDITOR = 2, EL_SIGNAL = 3, EL_BIND = 4, EL_SETTY = 8, EL_ADDFN = 9 };
enum { EL_HIST = 10, EL_CLIENTDATA = 14 };
enum { H_SETSIZE = 1, H_ENTER = 10, H_LOAD = 17, H_SAVE = 18, H_SETUNIQUE = 20 };
enum { CC_EOF = 2, CC_REFRESH = 4, CC_REDISPLAY = 8, CC_REFRESH_BEEP = 9 };

struct line_info {
    const char *buffer;
    const char *cursor;
    const char *lastchar;
};

struct hist_event {
    int num;
    const char *str;
};

static struct {
    void *handle; /* NULL: it is not there */
    void *(*el_init)(const char *, FILE *, FILE *, FILE *);
    void (*el_end)(void *);
    void (*el_resize)(void *);
    const char *(*el_gets)(void *, int *);
    int (*el_set)(void *, int, ...);
    int (*el_wset)(void *, int, ...); /* with wide texts */
    int (*el_get)(void *, int, ...);
    const struct line_info *(*el_line)(void *);
    int (*el_insertstr)(void *, const char *);
    void (*el_deletestr)(void *, int);
    void *(*history_init)(void);
    void (*history_end)(void *);
    int (*history)(void *, struct hist_event *, int, ...);
} lib;

struct edit {
    struct edit_options options;
    void *el; /* NULL: without the library */
    void *history;
    const char *prompt;
    bool interrupted;
    char *line; /* without the library */
    size_t cap;
};

/* ---- the library ---- */

static bool load(void)
{
    const struct {
        const char *name;
        void *target; /* a pointer to a function */
    } functions[] = {
        {"el_init", &lib.el_init},
        {"el_end", &lib.el_end},
        {"el_resize", &lib.el_resize},
        {"el_gets", &lib.el_gets},
        {"el_set", &lib.el_set},
        {"el_wset", &lib.el_wset},
        {"el_get", &lib.el_get},
        {"el_line", &lib.el_line},
        {"el_insertstr", &lib.el_insertstr},
        {"el_deletestr", &lib.el_deletestr},
        {"history_init", &lib.history_init},
        {"history_end", &lib.history_end},
        {"history", &lib.history},
    };

    lib.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; lib.handle != NULL && i < ARRAY_LEN(functions); i++) {
        void *symbol = dlsym(lib.handle, functions[i].name);

        if (symbol == NULL) {
            (void)dlclose(lib.handle);
            lib.handle = NULL;
        }
        memcpy(functions[i].target, &symbol, sizeof symbol);
    }
    return lib.handle != NULL;
}

static struct edit *owner_of(void *el)
{
    struct edit *e = NULL;

    ASSERT(lib.el_get(el, EL_CLIENTDATA, &e) == 0);
    return e;
}

/* ---- callbacks ---- */

static char *on_prompt(void *el) { return (char *)(uintptr_t)owner_of(el)->prompt; }

static unsigned char on_interrupt(void *el, int key)
{
    (void)key;
    owner_of(el)->interrupted = true;
    return CC_EOF;
}

size_t edit_common(const struct edit_matches *m)
{
    size_t len = strlen(m->items[0]);

    for (size_t i = 1; i < m->count; i++) {
        size_t same = 0;

        while (same < len && m->items[i][same] != '\0' &&
               strncasecmp(m->items[0] + same, m->items[i] + same, 1) == 0) {
            same++;
        }
        len = same;
    }
    return len > m->typed ? len : m->typed;
}

static void list_matches(const struct edit_matches *m)
{
    unsigned width = terminal_columns(STDOUT_FILENO);
    size_t widest = 0;
    size_t across;

    for (size_t i = 0; i < m->count && i < LIST_MAX; i++) {
        size_t len = strlen(m->items[i]);

        widest = len > widest ? len : widest;
    }
    across = width / (widest + 2) > 0 ? width / (widest + 2) : 1;
    for (size_t i = 0; i < m->count && i < LIST_MAX; i++) {
        printf("%s%-*s", i % across == 0 ? "\n" : "  ", (int)widest, m->items[i]);
    }
    printf(m->count > LIST_MAX ? "\n(%zu more)\n" : "\n", m->count - LIST_MAX);
    (void)fflush(stdout);
}

static unsigned char on_complete(void *el, int key)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct edit *e = owner_of(el);
    const struct line_info *line = lib.el_line(el);
    struct edit_matches m = {.count = 0};
    size_t common;

    (void)key;
    e->options.complete(e->options.context,
                        bytes_of(line->buffer, (size_t)(line->cursor - line->buffer)), &arena, &m);
    if (m.count == 0) {
        return CC_REFRESH_BEEP;
    }
    common = edit_common(&m);
    if (m.count > 1 && common == m.typed) {
        list_matches(&m);
        return CC_REDISPLAY;
    }
    lib.el_deletestr(el, (int)m.typed);
    (void)lib.el_insertstr(
        el, arena_printf(&arena, "%.*s%s", (int)common, m.items[0], m.count == 1 ? " " : ""));
    return CC_REFRESH;
}

/* ---- life ---- */

static void set_up(struct edit *e)
{
    struct hist_event event;

    (void)lib.el_set(e->el, EL_CLIENTDATA, e);
    (void)lib.el_set(e->el, EL_PROMPT, on_prompt);
    (void)lib.el_set(e->el, EL_EDITOR, "emacs");
    (void)lib.el_set(e->el, EL_SIGNAL, 1);
    (void)lib.el_set(e->el, EL_SETTY, "-d", "-isig", (char *)NULL); /* so Ctrl-C is a key */
    (void)lib.el_wset(e->el, EL_ADDFN, L"eider-complete", L"Complete the word", on_complete);
    (void)lib.el_wset(e->el, EL_ADDFN, L"eider-interrupt", L"Give the line up", on_interrupt);
    (void)lib.el_set(e->el, EL_BIND, "^I", "eider-complete", (char *)NULL);
    (void)lib.el_set(e->el, EL_BIND, "^C", "eider-interrupt", (char *)NULL);
    (void)lib.el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", (char *)NULL);
    (void)lib.history(e->history, &event, H_SETSIZE, HISTORY_SIZE);
    (void)lib.history(e->history, &event, H_SETUNIQUE, 1);
    if (e->options.history != NULL) {
        (void)lib.history(e->history, &event, H_LOAD, e->options.history);
    }
    (void)lib.el_set(e->el, EL_HIST, lib.history, e->history);
}

struct edit *edit_new(const struct edit_options *options)
{
    struct edit *e = mem_new(struct edit);

    e->options = *options;
    if (load()) {
        e->history = lib.history_init();
        e->el = e->history == NULL ? NULL : lib.el_init("eider", stdin, stdout, stderr);
    }
    if (e->el != NULL) {
        set_up(e);
    }
    return e;
}

void edit_free(struct edit *e)
{
    struct hist_event event;

    if (e == NULL) {
        return;
    }
    if (e->el != NULL) {
        lib.el_end(e->el);
    }
    if (e->history != NULL) {
        if (e->options.history != NULL) {
            (void)lib.history(e->history, &event, H_SAVE, e->options.history);
        }
        lib.history_end(e->history);
    }
    free(e->line);
    free(e);
}

/* ---- lines ---- */

static enum edit_result plain_line(struct edit *e, struct bytes *ret)
{
    ssize_t len;

    printf("%s", e->prompt);
    (void)fflush(stdout);
    len = getline(&e->line, &e->cap, stdin);
    if (len < 0) {
        return EDIT_END;
    }
    *ret = bytes_of(e->line, (size_t)len);
    return EDIT_LINE;
}

enum edit_result edit_line(struct edit *e, const char *prompt, struct bytes *ret)
{
    const char *line;
    int len = 0;

    e->prompt = prompt;
    if (e->el == NULL) {
        return plain_line(e, ret);
    }
    e->interrupted = false;
    lib.el_resize(e->el);
    line = lib.el_gets(e->el, &len);
    if (e->interrupted) {
        printf("^C\n");
        (void)fflush(stdout);
        return EDIT_INTERRUPT;
    }
    if (line == NULL || len <= 0) {
        return EDIT_END;
    }
    *ret = bytes_of(line, (size_t)len);
    return EDIT_LINE;
}

void edit_remember(struct edit *e, struct bytes text)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    char *copy = arena_strndup(&arena, text.data, text.len);
    struct hist_event event;
    size_t len = text.len;

    while (len > 0 && strchr(" \t\r\n", copy[len - 1]) != NULL) {
        copy[--len] = '\0';
    }
    for (size_t i = 0; i < len; i++) {
        copy[i] = copy[i] == '\n' ? ' ' : copy[i];
    }
    if (e->history != NULL && len > 0) {
        (void)lib.history(e->history, &event, H_ENTER, copy);
    }
}
