#include "listeners.h"

#include <ctype.h>
#include <string.h>

#include "base/units.h"

#define HOST_MAX 255
#define NAME_MAX 64

static enum errcode parse_one(const char *text, const char *what, struct arena *arena,
                              struct listener_address *ret, struct error *e);
static enum errcode check_unique(const struct listener_address *all, size_t count, const char *what,
                                 struct error *e);
static enum errcode check_ports(const struct listener_list *list, struct error *e);
static enum errcode advertise(const struct options *o, struct arena *arena,
                              struct listener_list *list, struct error *e);
static enum errcode check_protocols(const struct options *o, struct error *e);
static enum errcode check_internal(const struct options *o, const struct listener_list *list,
                                   struct error *e);

/* What bind.listeners says, or what stands for it. */
static enum errcode bound(const struct options *o, struct arena *arena, struct listener_list *ret,
                          struct error *e)
{
    const char *host = options_string(o, "coordinator.host");
    const char *text = options_string(o, "bind.listeners");
    const char *what = "bind.listeners";

    if (!options_is_set(o, "bind.listeners") && host != NULL) {
        what = "coordinator.host and coordinator.port";
        text = arena_printf(arena, "FLUSS://%s:%s", host, options_string(o, "coordinator.port"));
    }
    return listeners_parse_text(text, what, arena, ret, e);
}

enum errcode listeners_parse(const struct options *options, struct arena *arena,
                             struct listener_list *ret, struct error *e)
{
    struct listener_list list = {0};

    TRY(bound(options, arena, &list, e));
    TRY(check_ports(&list, e));
    TRY(advertise(options, arena, &list, e));
    TRY(check_protocols(options, e));
    TRY(check_internal(options, &list, e));
    *ret = list;
    return ERR_OK;
}

enum errcode listeners_override(struct options *options, const char *host, int32_t port,
                                struct error *e)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct listener_list list = {0};
    const char *text;

    if (host == NULL && port < 0) {
        return ERR_OK;
    }
    TRY(bound(options, &arena, &list, e));
    if (list.count != 1) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "%s: found %zu listeners in bind.listeners, expected one; say all hosts "
                         "and ports there",
                         host == NULL ? "--port" : "--host", list.count);
    }
    host = host == NULL ? list.bind[0].host : host;
    text = arena_printf(&arena,
                        strchr(host, ':') != NULL && host[0] != '[' ? "%s://[%s]:%d" : "%s://%s:%d",
                        list.bind[0].name, host, port < 0 ? list.bind[0].port : port);
    TRY(listeners_parse_text(text, "--host", &arena, &list, e));
    return options_set(options, bytes_str("bind.listeners"), bytes_str(text), "--host, --port", e);
}

/* ---- one list ---- */

enum errcode listeners_parse_text(const char *text, const char *what, struct arena *arena,
                                  struct listener_list *ret, struct error *e)
{
    struct listener_list list = {0};

    list.bind = arena_array(arena, LISTENERS_MAX, sizeof *list.bind);
    for (const char *rest = text; rest != NULL;) {
        const char *comma = strchr(rest, ',');
        size_t len = comma == NULL ? strlen(rest) : (size_t)(comma - rest);

        if (list.count == LISTENERS_MAX) {
            return error_set(e, ERR_INVALID_ARGUMENT, "%s: found more listeners than %d", what,
                             LISTENERS_MAX);
        }
        TRY(parse_one(arena_strndup(arena, rest, len), what, arena, &list.bind[list.count], e));
        list.count++;
        rest = comma == NULL ? NULL : comma + 1;
    }
    TRY(check_unique(list.bind, list.count, what, e));
    list.advertised = list.bind;
    *ret = list;
    return ERR_OK;
}

static bool all_in(const char *text, size_t len, const char *punctuation)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr(punctuation, text[i]) == NULL) {
            return false;
        }
    }
    return len > 0;
}

static const char *trim(const char *text, struct arena *arena)
{
    size_t len;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    for (len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]); len--) {
    }
    return arena_strndup(arena, text, len);
}

/* "[::1]" and "name" to what lies between brackets, or all; NULL when it is neither. */
static const char *parse_host(const char *text, size_t len, struct arena *arena)
{
    bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';

    text += brackets;
    len -= brackets ? 2 : 0;
    return len <= HOST_MAX && all_in(text, len, "-._%:") ? arena_strndup(arena, text, len) : NULL;
}

static enum errcode parse_one(const char *text, const char *what, struct arena *arena,
                              struct listener_address *ret, struct error *e)
{
    const char *address = trim(text, arena);
    const char *separator = strstr(address, "://");
    const char *colon = separator == NULL ? NULL : strrchr(separator + 3, ':');
    const char *host = NULL;
    int32_t port = -1;

    if (colon != NULL) {
        host = parse_host(separator + 3, (size_t)(colon - separator - 3), arena);
    }
    if (host == NULL || separator - address > NAME_MAX ||
        !all_in(address, (size_t)(separator - address), "_-.")) {
        return error_set(e, ERR_INVALID_ARGUMENT,
                         "%s: found \"%.100s\", expected NAME://host:port, an IPv6 address in "
                         "brackets",
                         what, address);
    }
    if (!isdigit((unsigned char)colon[1]) || units_parse_i32(colon + 1, &port, NULL) != ERR_OK ||
        port > UINT16_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s: found port \"%.20s\", expected 0 to 65535",
                         what, colon + 1);
    }
    ret->name = arena_strndup(arena, address, (size_t)(separator - address));
    ret->host = host;
    ret->port = (uint16_t)port;
    return ERR_OK;
}

/* ---- rules between listeners ---- */

/* NULL: there is none. */
static struct listener_address *find(struct listener_address *all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0) {
            return &all[i];
        }
    }
    return NULL;
}

static enum errcode check_unique(const struct listener_address *all, size_t count, const char *what,
                                 struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(all[i].name, all[j].name) == 0) {
                return error_set(e, ERR_INVALID_ARGUMENT,
                                 "%s: found listener %s twice, expected different names", what,
                                 all[i].name);
            }
        }
    }
    return ERR_OK;
}

static enum errcode check_ports(const struct listener_list *list, struct error *e)
{
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (list->bind[i].port != 0 && list->bind[i].port == list->bind[j].port) {
                return error_set(e, ERR_INVALID_ARGUMENT,
                                 "bind.listeners: found port %u for %s and %s, expected different "
                                 "ports",
                                 list->bind[i].port, list->bind[j].name, list->bind[i].name);
            }
        }
    }
    return ERR_OK;
}

static enum errcode advertise(const struct options *o, struct arena *arena,
                              struct listener_list *list, struct error *e)
{
    const char *text = options_string(o, "advertised.listeners");
    struct listener_list told = {0};

    if (text == NULL) {
        return ERR_OK;
    }
    TRY(listeners_parse_text(text, "advertised.listeners", arena, &told, e));
    list->advertised = arena_array(arena, list->count, sizeof *list->advertised);
    memcpy(list->advertised, list->bind, list->count * sizeof *list->advertised);
    for (size_t i = 0; i < told.count; i++) {
        struct listener_address *a = find(list->advertised, list->count, told.bind[i].name);

        if (a == NULL) {
            return error_set(e, ERR_INVALID_ARGUMENT,
                             "advertised.listeners: found listener %s, expected one of "
                             "bind.listeners",
                             told.bind[i].name);
        }
        *a = told.bind[i];
    }
    return ERR_OK;
}

static enum errcode check_protocols(const struct options *o, struct error *e)
{
    size_t count;
    const char *const *map = options_list(o, "security.protocol.map", &count);

    for (size_t i = 0; i < count; i++) {
        const char *protocol = strchr(map[i], ':') + 1;

        protocol += strspn(protocol, " \t");
        if (!text_equal_ignore_case(protocol, "PLAINTEXT")) {
            return error_set(e, ERR_INVALID_ARGUMENT,
                             "security.protocol.map: found \"%.100s\", expected PLAINTEXT: this "
                             "version serves no other protocol",
                             map[i]);
        }
    }
    return ERR_OK;
}

static enum errcode check_internal(const struct options *o, const struct listener_list *list,
                                   struct error *e)
{
    const char *name = options_string(o, "internal.listener.name");

    if (!options_is_set(o, "internal.listener.name") ||
        find(list->bind, list->count, name) != NULL) {
        return ERR_OK;
    }
    return error_set(e, ERR_INVALID_ARGUMENT,
                     "internal.listener.name: found \"%.64s\", expected one of bind.listeners",
                     name);
}
