#include "place.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

enum errcode place_parse(const char *text, const char *flag, struct place *ret, struct error *e)
{
    const char *colon = strrchr(text, ':');
    bool brackets = text[0] == '[' && colon != NULL && colon[-1] == ']';
    size_t len = colon == NULL ? 0 : (size_t)(colon - text) - (brackets ? 2 : 0);
    int32_t port = 0;

    if (len == 0 || len >= sizeof ret->host || strlen(text) >= sizeof ret->text ||
        units_parse_i32(colon + 1, &port, NULL) != ERR_OK || port < 1 || port > UINT16_MAX) {
        return error_set(e, ERR_INVALID_ARGUMENT, "%s: found \"%.80s\", expected HOST:PORT", flag,
                         text);
    }
    memcpy(ret->host, text + (brackets ? 1 : 0), len);
    ret->host[len] = '\0';
    ret->port = (uint16_t)port;
    (void)snprintf(ret->text, sizeof ret->text, "%s", text);
    return ERR_OK;
}
