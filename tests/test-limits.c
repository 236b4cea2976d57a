/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which calls may come in. */
#include "test.h"

#include <string.h>

#include "daemon/limits.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define USER 1000

static const struct {
    const char *what;
    const char *method;
    VgpuLimitsCall call; /* size_max is that of the method */
    const char *refused; /* part of the reason, NULL: it may come in */
} calls[] = {
    { "a first call", "ListGpus", { true, USER, 0, 0, 0, 0, 0 }, NULL },
    { "the eighth of a connection", "ListGpus", { true, USER, 8, 0, 7, 7, 0 }, NULL },
    { "the ninth", "ListGpus", { true, USER, 8, 0, 8, 8, 0 }, "8 calls of this connection" },
    { "the sixteenth of a user", "ListGpus", { true, USER, 8, 0, 0, 15, 0 }, NULL },
    { "the seventeenth", "ListGpus", { true, USER, 8, 0, 0, 16, 0 }, "16 calls of user 1000" },
    { "a domain that is just short enough",
      "Explain",
      { true, USER, 256 * KIB, 0, 0, 0, 0 },
      NULL },
    { "a domain that is too long",
      "Explain",
      { true, USER, 256 * KIB + 1, 0, 0, 0, 0 },
      "the arguments are 257 KiB long, the limit is 256 KiB" },
    { "a pool", "DefinePool", { true, USER, 300 * KIB, 0, 0, 0, 0 }, NULL },
    { "the longest pool", "DefinePool", { true, USER, 512 * KIB, 0, 0, 0, 0 }, NULL },
    { "a pool that is too long",
      "DefinePool",
      { true, USER, 512 * KIB + 1, 0, 0, 0, 0 },
      "the limit is 512 KiB" },
    { "a layout that is applied", "ApplyHost", { true, USER, 512 * KIB, 0, 0, 0, 0 }, NULL },
    { "one that is too long",
      "ApplyHost",
      { true, USER, 512 * KIB + 1, 0, 0, 0, 0 },
      "the limit is 512 KiB" },
    { "the longest that is compared", "DiffHost", { true, USER, 512 * KIB, 0, 0, 0, 0 }, NULL },
    { "a layout that is compared",
      "DiffHost",
      { true, USER, 512 * KIB + 1, 0, 0, 0, 0 },
      "the limit is 512 KiB" },
    { "an image of many files", "BuildDriverIso", { true, USER, 1 * MIB, 0, 0, 0, 0 }, NULL },
    { "too many files",
      "BuildDriverIso",
      { true, USER, 1 * MIB + 1, 0, 0, 0, 0 },
      "the limit is 1024 KiB" },
    { "all of a host's domains", "FleetGrant", { true, USER, 1 * MIB, 0, 0, 0, 0 }, NULL },
    { "too many domains",
      "FleetGrant",
      { true, USER, 1 * MIB + 1, 0, 0, 0, 0 },
      "the limit is 1024 KiB" },
    { "an unknown method",
      "Nonsense",
      { true, USER, 257 * KIB, 0, 0, 0, 0 },
      "the limit is 256 KiB" },
    { "root, over every limit", "Explain", { true, 0, 32 * MIB, 0, 400, 400, 200 * MIB }, NULL },
    { "not the daemon's own user when that is another",
      "ListGpus",
      { true, 33, 8, 0, 8, 8, 0 },
      "8 calls of this connection" },
    { "of a caller not known yet, who may be root",
      "Explain",
      { false, 0, 32 * MIB, 0, 20, 0, 32 * MIB },
      NULL },
    { "of one too many of those",
      "Explain",
      { false, 0, 32 * MIB, 0, 0, 0, 32 * MIB + 1 },
      "the arguments are" },
    { "among many of those: as of any connection",
      "ListGpus",
      { false, 0, 8, 0, 7, 0, 64 * MIB },
      NULL },
    { "the ninth among many of those",
      "ListGpus",
      { false, 0, 8, 0, 8, 0, 64 * MIB },
      "8 calls of this connection" },
};

static void
test_calls(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        VgpuLimitsCall call = calls[i].call;
        g_autofree char *refusal = NULL;

        call.size_max = vgpu_limits_size(calls[i].method);
        refusal = vgpu_limits_refusal(&call);
        if (!refusal != !calls[i].refused || (refusal && !strstr(refusal, calls[i].refused)))
            fail_msg("%s: %s", calls[i].what, refusal ? refusal : "may come in");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
