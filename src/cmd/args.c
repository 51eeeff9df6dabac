#include "args.h"

#include "listeners.h"

#include <string.h>

#include "base/units.h"

const char args_server_usage[] =
    "usage: eider server [OPTIONS]\n"
    "\n"
    "Runs the server until SIGTERM or SIGINT. When it serves, one line of JSON on stdout says\n"
    "where; diagnostics go to stderr.\n"
    "\n"
    "  --data-dir DIR         where the data is; also data.dir\n"
    "  --ephemeral            temporary data instead, removed at exit\n"
    "  --host HOST            listen on HOST (default 127.0.0.1)\n"
    "  --port PORT            listen on PORT (default 9123; 0: any free one)\n"
    "  --shards N             threads that serve (default: one per processor); also eider.shards\n"
    "  --remote-data-dir URI  root of remote storage; also remote.data.dir\n"
    "  --config FILE          read options from FILE, a server.yaml\n"
    "  -D KEY=VALUE           set an option; may be repeated, the last one counts\n"
    "  -h, --help             print this\n"
    "\n"
    "Flags win over -D, -D over the file, the file over defaults. 'eider config' lists all\n"
    "options. A word such as --port=0 is read like --port 0.\n";

/* The command line as read, before its order of precedence is applied. */
struct command_line {
    struct server_args args;
    struct arena *arena;
    int argc;
    char **argv;
    int next; /* in argv */
    const char *host;
    const char *port;
    const char *data_dir;
    const char *shards;
    const char *remote_data_dir;
    const char **settings; /* of -D */
    size_t setting_count;
};

static enum errcode read_word(struct command_line *c, struct error *e);
static enum errcode fill(struct command_line *c, struct error *e);

enum errcode args_parse(int argc, char **argv, struct arena *arena, struct server_args *ret,
                        struct error *e)
{
    struct command_line c = {.arena = arena, .argc = argc, .argv = argv, .next = 1};

    ASSERT(argc >= 1);
    c.settings = arena_array(arena, (size_t)argc, sizeof *c.settings);
    while (c.next < argc && !c.args.help) {
        TRY(read_word(&c, e));
    }
    if (!c.args.help) {
        TRY(fill(&c, e));
    }
    *ret = c.args;
    return ERR_OK;
}

/* ---- words ---- */

/* The value of a flag: behind '=', or the next word. */
static enum errcode flag_value(struct command_line *c, const char *flag, const char *inside,
                               const char **ret, struct error *e)
{
    if (inside != NULL) {
        *ret = inside;
        return ERR_OK;
    }
    if (c->next == c->argc) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s: expected a value after it", flag);
    }
    *ret = c->argv[c->next++];
    return ERR_OK;
}

static enum errcode read_setting(struct command_line *c, const char *word, struct error *e)
{
    const char *text = NULL;

    TRY(flag_value(c, "-D", word[2] == '\0' ? NULL : word + 2, &text, e));
    if (strchr(text, '=') == NULL || text[0] == '=') {
        return error_set(e, ERR_INVALID_ARGUMENT, "-D: found \"%.80s\", expected KEY=VALUE", text);
    }
    c->settings[c->setting_count++] = text;
    return ERR_OK;
}

static bool read_switch(struct command_line *c, const char *word)
{
    if (strcmp(word, "--ephemeral") == 0) {
        c->args.ephemeral = true;
        return true;
    }
    c->args.help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    return c->args.help;
}

static enum errcode read_word(struct command_line *c, struct error *e)
{
    const struct {
        const char *flag;
        const char **target;
    } flags[] = {
        {"--data-dir", &c->data_dir},
        {"--host", &c->host},
        {"--port", &c->port},
        {"--shards", &c->shards},
        {"--config", &c->args.config_path},
        {"--remote-data-dir", &c->remote_data_dir},
    };
    const char *word = c->argv[c->next++];
    const char *equals = strchr(word, '=');
    size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);

    if (strncmp(word, "-D", 2) == 0) {
        return read_setting(c, word, e);
    }
    if (read_switch(c, word)) {
        return ERR_OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (strlen(flags[i].flag) == len && strncmp(flags[i].flag, word, len) == 0) {
            return flag_value(c, flags[i].flag, equals == NULL ? NULL : equals + 1, flags[i].target,
                              e);
        }
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "found \"%.80s\", expected a flag that 'eider server --help' lists", word);
}

/* ---- what they mean ---- */

/* A flag that is another spelling of an option. */
static enum errcode set_flag(struct options *o, const char *key, const char *value,
                             const char *flag, struct error *e)
{
    return value == NULL ? ERR_OK : options_set(o, bytes_str(key), bytes_str(value), flag, e);
}

static enum errcode parse_port(const char *text, int32_t *ret, struct error *e)
{
    *ret = -1;
    if (text != NULL &&
        (units_parse_i32(text, ret, NULL) != ERR_OK || *ret < 0 || *ret > UINT16_MAX)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "--port: found \"%.80s\", expected 0 to 65535",
                         text);
    }
    return ERR_OK;
}

static enum errcode place_data(struct command_line *c, struct error *e)
{
    size_t count;
    const char *const *dirs = options_list(c->args.options, "data.dirs", &count);
    const char *dir = count > 0 ? dirs[0] : options_string(c->args.options, "data.dir");

    if (c->args.ephemeral) {
        return c->data_dir == NULL ? ERR_OK
                                   : error_set(e, ERR_INVALID_ARGUMENT,
                                               "found --data-dir and --ephemeral, expected one of "
                                               "them");
    }
    dir = c->data_dir != NULL ? c->data_dir : dir;
    if (dir == NULL || dir[0] == '\0') {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "where is the data? Expected --data-dir DIR, the option data.dir, or "
                         "--ephemeral");
    }
    c->args.data_dir = dir;
    return ERR_OK;
}

static enum errcode apply_flags(struct command_line *c, struct options *o, struct error *e)
{
    int32_t port = -1;

    TRY(set_flag(o, "data.dir", c->data_dir, "--data-dir", e));
    TRY(set_flag(o, "eider.shards", c->shards, "--shards", e));
    TRY(set_flag(o, "remote.data.dir", c->remote_data_dir, "--remote-data-dir", e));
    TRY(parse_port(c->port, &port, e));
    return listeners_override(o, c->host, port, e);
}

static enum errcode fill(struct command_line *c, struct error *e)
{
    struct options *o = options_new(c->arena);
    struct listener_list listeners;

    c->args.options = o;
    if (c->args.config_path != NULL) {
        TRY(options_read_file(o, c->args.config_path, e));
    }
    for (size_t i = 0; i < c->setting_count; i++) {
        const char *text = c->settings[i];
        const char *equals = strchr(text, '=');

        TRY(options_set(o, bytes_of(text, (size_t)(equals - text)), bytes_str(equals + 1), "-D",
                        e));
    }
    TRY(apply_flags(c, o, e));
    TRY(options_check(o, e));
    TRY(listeners_parse(o, c->arena, &listeners, e));
    return place_data(c, e);
}
