/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer of another host's virt-vgpu, and libvirt's URI of a host. The first byte chooses the exit status; then
 * come the output, which is also tried as a URI, a NUL, and what ssh has printed. */
#include "fuzz.h"

#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define HAVE_LSAN 1
#endif
#endif

#include "base/printable.h"
#include "cli/peer.h"
#include "cli/ssh-uri.h"

#define COMMAND "virt-vgpu explain"

static const int statuses[] = { 0, 1, 2, 3, 6, 7, 8, 126, 127, 255, -1 };

/* --- the answer ----------------------------------------------------------------------------- */

static void
check_text(const char *what, const char *text)
{
    FUZZ_CHECK(!text || (g_utf8_validate(text, -1, NULL) && vgpu_printable_is(text)), "%s: %s",
               what, text);
    FUZZ_CHECK(!text || g_utf8_strlen(text, -1) <= VGPU_PRINTABLE_REASON + 200, "%s", what);
}

static void
check_host(const VgpuMigrationHost *host)
{
    check_text("uuid", host->uuid);
    check_text("version", host->version);
    check_text("kernel", host->kernel);
    for (guint i = 0; i < host->gpus->len; i++) {
        const VgpuMigrationGpu *gpu = host->gpus->pdata[i];
        const VgpuMigrationGpu *found = vgpu_migration_host_find(host, gpu->address);

        check_text("address", gpu->address);
        check_text("interface", gpu->interface);
        check_text("driver", gpu->driver);
        check_text("driver_version", gpu->driver_version);
        FUZZ_CHECK(found && g_strcmp0(found->address, gpu->address) == 0, "%s", gpu->address);
    }
}

static void
try_answer(int status, const char *out, const char *err)
{
    g_autoptr(VgpuPeer) peer = NULL;

#ifdef HAVE_LSAN
    __lsan_disable(); /* json-glib (1.6) leaks all but the last of several documents in one text */
#endif
    peer = vgpu_peer_read(status, out, err);
#ifdef HAVE_LSAN
    __lsan_enable();
#endif
    FUZZ_CHECK(!peer->host == (peer->silence_reason != NULL), "an answer and a reason for none");
    FUZZ_CHECK(peer->host || !peer->plan->len, "a plan without an answer");
    check_text("silence", peer->silence_reason);
    check_text("reason", peer->no_room);
    if (peer->host)
        check_host(peer->host);
    for (guint i = 0; i < peer->plan->len; i++) {
        const VgpuPeerPlan *plan = peer->plan->pdata[i];

        check_text("profile", plan->profile);
        check_text("gpu", plan->gpu);
    }
}

/* --- the URI -------------------------------------------------------------------------------- */

static bool
is_name(const char *word)
{
    return *word && *word != '-' && !strpbrk(word, " \t\r\n'`\"$\\;&<>|(){}");
}

static bool
is_option(const char *name, const char *value)
{
    static const char *const settings[] = {
        "StrictHostKeyChecking=no",
        "StrictHostKeyChecking=accept-new",
        "BatchMode=yes",
        NULL,
    };

    if (g_str_equal(name, "-o"))
        return g_strv_contains(settings, value) ||
               (g_str_has_prefix(value, "UserKnownHostsFile=") &&
                is_name(strchr(value, '=') + 1));
    if (g_str_equal(name, "-p"))
        return strspn(value, "0123456789") == strlen(value);
    return g_str_equal(name, "-i") || (g_str_equal(name, "-l") && is_name(value));
}

/* Whatever the URI, ssh is asked to run that command on a host that has a plain name. */
static void
check_words(char **words)
{
    guint i = 4;

    FUZZ_CHECK(g_strv_length(words) >= 7, "%u words", g_strv_length(words));
    FUZZ_CHECK(g_str_equal(words[1], "-T") && g_str_equal(words[2], "-e") &&
                   g_str_equal(words[3], "none"),
               "%s %s %s", words[1], words[2], words[3]);
    for (; !g_str_equal(words[i], "--"); i += 2)
        FUZZ_CHECK(words[i + 1] && words[i + 2] && is_option(words[i], words[i + 1]), "%s %s",
                   words[i], words[i + 1]);
    FUZZ_CHECK(words[i + 1] && is_name(words[i + 1]), "the host is '%s'", words[i + 1]);
    FUZZ_CHECK(g_strcmp0(words[i + 2], COMMAND) == 0 && !words[i + 3], "%s", words[i + 2]);
}

static void
try_uri(const char *uri)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = vgpu_ssh_uri_words(uri, COMMAND, &error);

    fuzz_outcome(words != NULL, error);
    if (words)
        check_words(words);
}

FUZZ_TARGET(peer)
{
    g_autofree char *out = size ? fuzz_utf8(data + 1, size - 1) : NULL;
    g_autofree char *err = NULL;
    const guint8 *end = size ? memchr(data + 1, '\0', size - 1) : NULL;

    if (!size)
        return;
    err = end ? fuzz_utf8(end + 1, (gsize) (data + size - end - 1)) : g_strdup("");
    try_answer(statuses[*data % G_N_ELEMENTS(statuses)], out, err);
    try_uri(out);
}
