/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hook's request to the daemon, in one piece and byte by byte. */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xml-limits.h"
#include "daemon/hook-call.h"

typedef struct {
    VgpuHookCallState state;
    char *domain;
    char answer[256];
} Outcome;

static void
clear(Outcome *self)
{
    g_free(self->domain);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, clear)

static void
end(VgpuHookCall *call, Outcome *out)
{
    if (out->state == VGPU_HOOK_CALL_COMPLETE) {
        FUZZ_CHECK(vgpu_hook_call_size(call) <= VGPU_XML_MAX + 8192, "%zu bytes",
                   vgpu_hook_call_size(call));
        out->domain = g_strdup(vgpu_hook_call_domain(call));
        FUZZ_CHECK(g_utf8_validate(out->domain, -1, NULL), "a name");
        (void) vgpu_hook_call_is_quick(call);
        (void) vgpu_hook_call_outlives_client(call);
        vgpu_hook_call_parse(call);
    }
    FUZZ_CHECK(vgpu_hook_call_is_answered(call) == (out->state == VGPU_HOOK_CALL_REFUSED),
               "answered at once");
}

/* @step bytes at a time. */
static Outcome
send_all(const guint8 *data, gsize size, gsize step)
{
    Outcome out = { VGPU_HOOK_CALL_HEADER, NULL, "" };
    VgpuHookCall *call;
    int fds[2];

    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "a socket pair");
    call = vgpu_hook_call_new(fds[0], NULL);
    for (gsize at = 0; at < size && out.state < VGPU_HOOK_CALL_COMPLETE; at += step)
        out.state = vgpu_hook_call_take(call, data + at, MIN(step, size - at));
    end(call, &out);
    (void) !recv(fds[1], out.answer, sizeof(out.answer) - 1, MSG_DONTWAIT);
    if (out.state == VGPU_HOOK_CALL_REFUSED)
        FUZZ_CHECK(g_str_has_prefix(out.answer, "VGPU1 refused "), "%s", out.answer);
    else
        FUZZ_CHECK(!*out.answer, "%s", out.answer);
    vgpu_hook_call_unref(call);
    close(fds[1]);
    return out;
}

FUZZ_TARGET(hook_call)
{
    g_auto(Outcome) whole = send_all(data, size, MAX(size, 1));
    g_auto(Outcome) pieces = send_all(data, size, size > 4096 ? 257 : 1);

    FUZZ_CHECK(whole.state == pieces.state, "%d, %d", whole.state, pieces.state);
    FUZZ_CHECK(g_strcmp0(whole.domain, pieces.domain) == 0, "%s, %s", whole.domain,
               pieces.domain);
}
