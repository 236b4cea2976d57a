/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protocol between the daemon and a driver process when one side lies: packets and their contents. The first
 * byte chooses the kind. */
#include "fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver/performer.h"
#include "driver/protocol.h"
#include "gpu/contents.h"
#include "rows.h"

static const char *const keys[] = {
    "interface", "parent",    "profile_id", "uuid",   "round",  "named",    "details", "gpu",
    "driver",    "functions", "exists",     "params", "closed", "function", NULL,
};

/* A packet, of any bytes. */
static GVariant *
receive(const GVariantType *type, const guint8 *data, gsize size)
{
    g_autoptr(GError) error = NULL;
    GVariant *message;
    int fds[2];

    FUZZ_CHECK(vgpu_driver_protocol_socketpair(fds, &error), "%s", error->message);
    FUZZ_CHECK(send(fds[0], data, size, MSG_NOSIGNAL) == (ssize_t) size, "%zu bytes", size);
    close(fds[0]);
    message = vgpu_driver_protocol_receive(fds[1], type, true, &error);
    fuzz_outcome(message != NULL, error);
    FUZZ_CHECK(!message ||
                   (g_variant_is_of_type(message, type) && g_variant_is_normal_form(message)),
               "a message");
    close(fds[1]);
    return message;
}

static void
try_packet(const guint8 *data, gsize size)
{
    g_autoptr(GVariant) hello = receive(G_VARIANT_TYPE_STRING, data, size);
    g_autoptr(GVariant) request = receive(VGPU_DRIVER_REQUEST, data, size);
    g_autoptr(GVariant) answer = receive(VGPU_DRIVER_ANSWER, data, size);

    FUZZ_CHECK(size > 0 || (!hello && !request && !answer), "something of nothing");
}

static GVariant *
of_bytes(const GVariantType *type, const guint8 *data, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    return g_variant_ref_sink(g_variant_new_from_bytes(type, bytes, FALSE));
}

/* A driver's report about a GPU, true or not. */
static void
try_contents(const guint8 *data, gsize size)
{
    g_autoptr(GVariant) contents = of_bytes(VGPU_CONTENTS_TYPE, data, size);
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
    g_autoptr(VgpuGpu) again = vgpu_gpu_new("0000:41:00.0");
    g_autoptr(GVariant) packed = NULL;
    g_autofree char *before = NULL, *after = NULL;

    (void) vgpu_gpu_add_parent(gpu, "0000:41:00.0", false);
    (void) vgpu_gpu_add_parent(again, "0000:41:00.0", false);
    if (!vgpu_contents_unpack(contents, gpu)) {
        FUZZ_CHECK(gpu->profiles->len == 0, "half of it");
        return;
    }
    packed = g_variant_ref_sink(vgpu_contents_pack(gpu));
    FUZZ_CHECK(vgpu_contents_unpack(packed, again), "what was packed");
    before = g_variant_print(packed, FALSE);
    g_variant_unref(packed);
    packed = g_variant_ref_sink(vgpu_contents_pack(again));
    after = g_variant_print(packed, FALSE);
    FUZZ_CHECK(g_str_equal(before, after), "%s\n%s", before, after);
}

static void
try_discovery(const guint8 *data, gsize size)
{
    g_autoptr(GVariant) discovery = of_bytes(VGPU_DISCOVERY_TYPE, data, size);
    g_autoptr(VgpuInventory) inventory = vgpu_contents_unpack_discovery(discovery);
    g_autoptr(VgpuInventory) again = NULL;
    g_autoptr(GVariant) nodes = NULL, packed = NULL;

    if (!inventory)
        return;
    nodes = vgpu_contents_nodes(discovery);
    packed = g_variant_ref_sink(vgpu_contents_pack_discovery(inventory, nodes));
    again = vgpu_contents_unpack_discovery(packed);
    FUZZ_CHECK(again && again->gpus->len == inventory->gpus->len, "what was packed");
}

/* A request with arguments that no daemon sends, on an empty host. */
static void
try_request(const guint8 *data, gsize size)
{
    static const char *const verbs[] = { VGPU_DRIVER_DISCOVER,
                                         VGPU_DRIVER_READ,
                                         VGPU_DRIVER_CREATE,
                                         VGPU_DRIVER_PROBE,
                                         VGPU_DRIVER_REMOVE,
                                         VGPU_DRIVER_CAPTURE,
                                         "dance" };
    const char *verb = verbs[fuzz_pick(data, size, G_N_ELEMENTS(verbs))];
    g_autoptr(GVariant) rows = fuzz_rows(&data, &size, keys);
    g_autoptr(VgpuSysfs) sysfs = vgpu_sysfs_new(fuzz_dir(), NULL);
    VgpuPerformer performer = { .sysfs = sysfs };

    for (gsize i = 0; i < MIN(g_variant_n_children(rows), 4); i++) {
        g_autoptr(GVariant) arguments = g_variant_get_child_value(rows, i);
        g_autoptr(GVariant) results =
            g_variant_ref_sink(vgpu_performer_run(&performer, verb, arguments));

        FUZZ_CHECK(g_variant_is_of_type(results, G_VARIANT_TYPE_VARDICT), "%s", verb);
        FUZZ_CHECK(g_variant_is_normal_form(results), "%s", verb);
    }
    vgpu_performer_clear(&performer);
}

FUZZ_TARGET(driver)
{
    static void (*const tries[])(const guint8 *data, gsize size) = { try_packet, try_contents,
                                                                     try_discovery, try_request };

    if (size > 0)
        tries[(guint) *data % G_N_ELEMENTS(tries)](data + 1, size - 1);
}
