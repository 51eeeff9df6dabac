#include "../../support/unit.h"
#include "cmd/listeners.h"

static struct options *with(struct arena *arena, const char *const (*settings)[2], size_t count)
{
    struct options *o = options_new(arena);
    struct error e;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            options_set(o, bytes_str(settings[i][0]), bytes_str(settings[i][1]), "-D", &e), ERR_OK);
    }
    return o;
}

/* "name host port>host port;" for each listener, or the message. */
static const char *parsed(const struct options *o, struct arena *arena)
{
    struct listener_list l = {0};
    const char *out = "";
    struct error e;

    if (listeners_parse(o, arena, &l, &e) != ERR_OK) {
        assert_int_equal(e.code, ERR_INVALID_ARGUMENT);
        return arena_printf(arena, "%s", e.message);
    }
    for (size_t i = 0; i < l.count; i++) {
        assert_string_equal(l.bind[i].name, l.advertised[i].name);
        out = arena_printf(arena, "%s%s %s %u>%s %u;", out, l.bind[i].name, l.bind[i].host,
                           l.bind[i].port, l.advertised[i].host, l.advertised[i].port);
    }
    return out;
}

static void bind_is(const char *text, const char *expected)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *const settings[][2] = {{"bind.listeners", text}};

    assert_string_equal(parsed(with(&arena, settings, 1), &arena), expected);
}

static void reads_lists(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_string_equal(parsed(options_new(&arena), &arena),
                        "FLUSS 127.0.0.1 9123>127.0.0.1 9123;");
    bind_is("FLUSS://h:0", "FLUSS h 0>h 0;");
    bind_is("A_1.b-c://[::1]:65535", "A_1.b-c ::1 65535>::1 65535;");
    bind_is("A://::1:7", "A ::1 7>::1 7;");
    bind_is("A://fe80::1%eth0:7", "A fe80::1%eth0 7>fe80::1%eth0 7;");
    bind_is(" A://h:1 , B://h.example:2", "A h 1>h 1;B h.example 2>h.example 2;");
    bind_is("A://h:0,B://h:0", "A h 0>h 0;B h 0>h 0;");
}

static void refuses(void **state)
{
    static const char *const shapes[] = {
        "",          "A",        "A://",      "A://h",      "://h:1",     "A://:1",
        "A b://h:1", "A:/h:1",   "A://h h:1", "A://[::1:1", "A://::1]:1", "A://[]:1",
        "A://h:1,",  ",A://h:1", "A://h/x:1", "A://[h]x:1", "A=://h:1",   "A://[:1",
    };
    static const char *const ports[] = {"A://h:",      "A://h:x",  "A://h:-1",         "A://h:+1",
                                        "A://h:65536", "A://h:1x", "A://h:99999999999"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const char *const settings[][2] = {{"bind.listeners", shapes[i]}};

        assert_non_null(strstr(parsed(with(&arena, settings, 1), &arena),
                               ", expected NAME://host:port, an IPv6 address in brackets"));
    }
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        OWNED(arena_fini) struct arena arena = ARENA_INIT;
        const char *const settings[][2] = {{"bind.listeners", ports[i]}};

        assert_non_null(
            strstr(parsed(with(&arena, settings, 1), &arena), "\", expected 0 to 65535"));
    }
    bind_is("A://h:1,A://h:2", "bind.listeners: found listener A twice, expected different names");
    bind_is("A://h:1,B://g:1",
            "bind.listeners: found port 1 for A and B, expected different ports");
    bind_is("nonsense", "bind.listeners: found \"nonsense\", expected NAME://host:port, an IPv6 "
                        "address in brackets");
}

static void bounds_their_number(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct listener_list l;
    const char *text = "L0://h:0";
    struct error e;

    (void)state;
    for (int i = 1; i < LISTENERS_MAX; i++) {
        text = arena_printf(&arena, "%s,L%d://h:0", text, i);
    }
    assert_int_equal(listeners_parse_text(text, "x", &arena, &l, &e), ERR_OK);
    assert_int_equal(l.count, LISTENERS_MAX);
    text = arena_printf(&arena, "%s,M://h:0", text);
    assert_int_equal(listeners_parse_text(text, "x", &arena, &l, &e), ERR_INVALID_ARGUMENT);
    assert_string_equal(e.message, "x: found more listeners than 16");
}

static void advertises(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *const one[][2] = {{"bind.listeners", "A://0.0.0.0:1,B://b:0"},
                                  {"advertised.listeners", "A://a.example:91"}};
    const char *const unknown[][2] = {{"advertised.listeners", "X://a:1"}};
    const char *const same_port[][2] = {{"bind.listeners", "A://a:1,B://b:2"},
                                        {"advertised.listeners", "B://lb:9,A://lb:9"}};

    (void)state;
    assert_string_equal(parsed(with(&arena, one, 2), &arena),
                        "A 0.0.0.0 1>a.example 91;B b 0>b 0;");
    assert_string_equal(parsed(with(&arena, same_port, 2), &arena), "A a 1>lb 9;B b 2>lb 9;");
    assert_string_equal(parsed(with(&arena, unknown, 1), &arena),
                        "advertised.listeners: found listener X, expected one of bind.listeners");
}

static void older_names(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *const host[][2] = {{"coordinator.host", "h"}};
    const char *const both[][2] = {{"coordinator.host", "h"}, {"coordinator.port", "7"}};
    const char *const range[][2] = {{"coordinator.host", "h"}, {"coordinator.port", "7-9"}};
    const char *const newer[][2] = {{"coordinator.host", "h"}, {"bind.listeners", "A://a:1"}};

    (void)state;
    assert_string_equal(parsed(with(&arena, host, 1), &arena), "FLUSS h 9123>h 9123;");
    assert_string_equal(parsed(with(&arena, both, 2), &arena), "FLUSS h 7>h 7;");
    assert_string_equal(parsed(with(&arena, newer, 2), &arena), "A a 1>a 1;");
    assert_string_equal(
        parsed(with(&arena, range, 2), &arena),
        "coordinator.host and coordinator.port: found port \"7-9\", expected 0 to 65535");
}

static void serves_plain_text_only(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *const plain[][2] = {{"security.protocol.map", "FLUSS: plaintext"}};
    const char *const sasl[][2] = {{"security.protocol.map", "FLUSS:PLAINTEXT,CLIENT:SASL"}};

    (void)state;
    assert_string_equal(parsed(with(&arena, plain, 1), &arena),
                        "FLUSS 127.0.0.1 9123>127.0.0.1 9123;");
    assert_string_equal(parsed(with(&arena, sasl, 1), &arena),
                        "security.protocol.map: found \"CLIENT:SASL\", expected PLAINTEXT: this "
                        "version serves no other protocol");
}

static void internal_listener(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *const unset[][2] = {{"bind.listeners", "CLIENT://h:1"}};
    const char *const good[][2] = {{"bind.listeners", "A://h:1,B://h:2"},
                                   {"internal.listener.name", "B"}};
    const char *const bad[][2] = {{"internal.listener.name", "B"}};

    (void)state;
    assert_string_equal(parsed(with(&arena, unset, 1), &arena), "CLIENT h 1>h 1;");
    assert_string_equal(parsed(with(&arena, good, 2), &arena), "A h 1>h 1;B h 2>h 2;");
    assert_string_equal(parsed(with(&arena, bad, 1), &arena),
                        "internal.listener.name: found \"B\", expected one of bind.listeners");
}

static const char *overridden(const char *bind, const char *host, int32_t port, struct arena *arena)
{
    const char *const settings[][2] = {{"bind.listeners", bind}};
    struct options *o = with(arena, settings, 1);
    struct error e;

    if (listeners_override(o, host, port, &e) != ERR_OK) {
        return arena_printf(arena, "%s", e.message);
    }
    return parsed(o, arena);
}

static void overrides(void **state)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;

    (void)state;
    assert_string_equal(overridden("A://h:1", NULL, -1, &arena), "A h 1>h 1;");
    assert_string_equal(overridden("A://h:1", NULL, 0, &arena), "A h 0>h 0;");
    assert_string_equal(overridden("A://[::1]:1", NULL, 2, &arena), "A ::1 2>::1 2;");
    assert_string_equal(overridden("A://h:1", "::", -1, &arena), "A :: 1>:: 1;");
    assert_string_equal(overridden("A://h:1", "[::]", 5, &arena), "A :: 5>:: 5;");
    assert_string_equal(overridden("A://h:1", "g", 65535, &arena), "A g 65535>g 65535;");
    assert_string_equal(overridden("A://h:1", "g,h", -1, &arena),
                        "--host: found \"A://g\", expected NAME://host:port, an IPv6 address in "
                        "brackets");
    assert_string_equal(overridden("A://h:1,B://h:2", NULL, 7, &arena),
                        "--port: found 2 listeners in bind.listeners, expected one; say all hosts "
                        "and ports there");
    assert_string_equal(overridden("A://h:1,B://h:2", NULL, -1, &arena), "A h 1>h 1;B h 2>h 2;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lists),         cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_their_number), cmocka_unit_test(advertises),
        cmocka_unit_test(older_names),         cmocka_unit_test(serves_plain_text_only),
        cmocka_unit_test(internal_listener),   cmocka_unit_test(overrides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
