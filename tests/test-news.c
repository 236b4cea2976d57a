/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each change of the store is one event for people, or none. */
#include "test.h"

#include <string.h>

#include "fleet/key.h"
#include "fleet/news.h"

#define H1 "0a0a0a0a-0000-4000-8000-000000000001"
#define H2 "0a0a0a0a-0000-4000-8000-000000000002"
#define D1 "0b0b0b0b-0000-4000-8000-000000000001"
#define HOST(state)                                                                              \
    "{\"name\":\"one\",\"uri\":\"qemu+ssh://one/system\",\"state\":\"" state "\",\"epoch\":1}"
#define DOMAIN(host, state, more)                                                                \
    "{\"host\":\"" host "\",\"state\":\"" state "\",\"profiles\":[],\"since\":1" more "}"
#define ID(id) ",\"id\":\"" id "\""

static void
remember(const VgpuNewsEvent *event, gpointer data)
{
    GString *out = data;

    g_string_append_printf(out, "%s%s", out->len ? " " : "", vgpu_news_word(event->kind));
    if (event->host_name)
        g_string_append_printf(out, ":%s", event->host_name);
    if (event->from)
        g_string_append_printf(out, "<%s", event->from + 35);
    if (event->tenant)
        g_string_append_printf(out, ":%s=%d", event->tenant,
                               event->quota ? (int) event->quota->devices : -1);
}

static VgpuStoreItem *
item_of(const char *key, const char *text)
{
    VgpuStoreItem *item = g_new0(VgpuStoreItem, 1);

    item->key = g_strdup(key);
    item->value = g_bytes_new(text, strlen(text));
    return item;
}

typedef struct {
    const char *about, *key;
    const char *before, *now; /* NULL: it is not there */
    const char *events;
} Row;

#define HOSTS VGPU_KEY_HOSTS H1 "/s"
#define DOMAINS VGPU_KEY_DOMAINS D1

static const Row rows[] = {
    { "a host comes", HOSTS, NULL, HOST("active"), "host-joined:one" },
    { "it writes again", HOSTS, HOST("active"), HOST("active"), "" },
    { "it is drained", HOSTS, HOST("active"), HOST("draining"), "host-draining:one" },
    { "and is active again", HOSTS, HOST("draining"), HOST("active"), "host-active:one" },
    { "its daemon is gone", HOSTS, HOST("active"), HOST("down"), "host-down:one" },
    { "it leaves", HOSTS, HOST("active"), NULL, "host-left:one" },
    { "it was not there", HOSTS, NULL, NULL, "" },
    { "no summary", HOSTS, HOST("active"), "x", "" },
    { "no host", VGPU_KEY_HOSTS "x/s", NULL, HOST("active"), "" },
    { "a reservation", DOMAINS, NULL, DOMAIN(H1, "reserved", ID("1")), "reserved" },
    { "the same", DOMAINS, DOMAIN(H1, "reserved", ID("1")), DOMAIN(H1, "reserved", ID("1")), "" },
    { "another one", DOMAINS, DOMAIN(H1, "reserved", ID("1")), DOMAIN(H1, "reserved", ID("2")),
      "reserved" },
    { "given up", DOMAINS, DOMAIN(H1, "reserved", ID("1")), DOMAIN(H1, "reserved", ""),
      "released" },
    { "already given up", DOMAINS, DOMAIN(H1, "reserved", ""), DOMAIN(H1, "reserved", ""), "" },
    { "it starts", DOMAINS, DOMAIN(H1, "reserved", ID("1")), DOMAIN(H1, "running", ""),
      "running" },
    { "without a reservation", DOMAINS, NULL, DOMAIN(H1, "running", ""), "running" },
    { "where it was not reserved", DOMAINS, DOMAIN(H2, "reserved", ID("1")),
      DOMAIN(H1, "running", ""), "running" },
    { "it runs", DOMAINS, DOMAIN(H1, "running", ""), DOMAIN(H1, "running", ""), "" },
    { "it leaves for another host", DOMAINS, DOMAIN(H1, "running", ""), DOMAIN(H1, "moving", ""),
      "moving" },
    { "it has moved", DOMAINS, DOMAIN(H1, "moving", ""), DOMAIN(H2, "running", ""), "moved<1" },
    { "and so without notice", DOMAINS, DOMAIN(H2, "running", ""), DOMAIN(H1, "running", ""),
      "moved<2" },
    { "it is saved", DOMAINS, DOMAIN(H1, "running", ""), DOMAIN(H1, "saved", ""), "saved" },
    { "it is restored", DOMAINS, DOMAIN(H1, "saved", ""), DOMAIN(H1, "running", ""), "running" },
    { "it ends", DOMAINS, DOMAIN(H1, "running", ""), NULL, "ended" },
    { "it was not there", DOMAINS, NULL, NULL, "" },
    { "unreadable", DOMAINS, DOMAIN(H1, "running", ""), "{}", "" },
    { "a quota", VGPU_KEY_QUOTAS "ac+me", NULL, "{\"devices\":4,\"mib\":0}",
      "quota-changed:ac me=4" },
    { "the same quota", VGPU_KEY_QUOTAS "acme", "{\"devices\":4,\"mib\":0}",
      "{\"devices\":4,\"mib\":0}", "" },
    { "another quota", VGPU_KEY_QUOTAS "acme", "{\"devices\":4,\"mib\":0}",
      "{\"devices\":5,\"mib\":0}", "quota-changed:acme=5" },
    { "no quota any longer", VGPU_KEY_QUOTAS "acme", "{\"devices\":4,\"mib\":0}", NULL,
      "quota-changed:acme=-1" },
    { "something else", VGPU_KEY_ROOT "gen/" H1, NULL, "", "" },
};

static void
set(VgpuNews *news, const char *key, const char *text)
{
    g_autoptr(VgpuStoreItem) item = text ? item_of(key, text) : NULL;

    vgpu_news_change(news, key, item, 7);
}

static void
test_changes(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(VgpuNews) news = vgpu_news_new(remember, out);

        if (rows[i].before)
            set(news, rows[i].key, rows[i].before);
        g_string_truncate(out, 0);
        set(news, rows[i].key, rows[i].now);
        if (!g_str_equal(out->str, rows[i].events))
            fail_msg("%s: '%s'", rows[i].about, out->str);
    }
}

static void
list(VgpuNews *news, const char *key, const char *text, bool is_first)
{
    VgpuStoreList all = { .items = g_ptr_array_new_with_free_func(
                              (GDestroyNotify) vgpu_store_item_free) };

    if (text)
        g_ptr_array_add(all.items, item_of(key, text));
    vgpu_news_list(news, VGPU_KEY_HOSTS, &all, is_first);
    g_ptr_array_unref(all.items);
}

/* What is there at first is no news, and what history was lost of is found by comparison. */
static void
test_lists(void **state)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(VgpuNews) news = vgpu_news_new(remember, out);

    set(news, DOMAINS, DOMAIN(H1, "running", ""));
    g_string_truncate(out, 0);
    list(news, HOSTS, HOST("active"), true);
    assert_string_equal(out->str, "");
    list(news, HOSTS, HOST("draining"), false);
    assert_string_equal(out->str, "host-draining:one");
    list(news, HOSTS, HOST("draining"), false);
    list(news, HOSTS, NULL, false);
    assert_string_equal(out->str, "host-draining:one host-left:one");
    set(news, DOMAINS, NULL);
    assert_string_equal(out->str, "host-draining:one host-left:one ended");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
