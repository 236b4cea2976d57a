/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool's XML: read, written, read again; and compared with its public schema. */
#include "fuzz.h"

#include <string.h>

#include "domain/schema.h"
#include "grammar.h"
#include "pool/pool-private.h"

static void
ask(const VgpuPool *pool)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");
    g_autofree char *why = vgpu_pool_refuses_tenant(pool, "cad", 1, 4096, profile);

    (void) vgpu_pool_allows(pool, profile);
    (void) vgpu_pool_default_profile(pool);
    (void) vgpu_pool_accepts_driver(pool, "550.90.05");
    FUZZ_CHECK(vgpu_pool_devices_for(pool, "web1") <= VGPU_COUNT_MAX, "%s", pool->name);
    FUZZ_CHECK(!why || fuzz_is_printable(why), "a reason");
    FUZZ_CHECK(!strchr(pool->name, '/') && *pool->name != '.', "%s", pool->name);
}

FUZZ_TARGET(pool)
{
    const VgpuPoolUse use = { "NVIDIA A2-4Q", 4, 1, 3 };
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuPool) pool = vgpu_pool_parse((const char *) data, size, "p.xml", &error);
    g_autoptr(VgpuPool) again = NULL;
    g_autofree char *plain = NULL, *used = NULL, *stable = NULL;

    fuzz_outcome(pool != NULL, error);
    fuzz_grammar("virt-vgpu-pool.rng", vgpu_pool_check_grammar, data, size);
    if (!pool)
        return;
    ask(pool);
    used = vgpu_pool_format(pool, &use, 1);
    plain = vgpu_pool_format(pool, NULL, 0);
    again = vgpu_pool_parse(plain, strlen(plain), "p.xml", &error);
    FUZZ_CHECK(again, "%s\n%s", error ? error->message : "", plain);
    stable = vgpu_pool_format(again, NULL, 0);
    FUZZ_CHECK(g_str_equal(plain, stable), "%s\n%s", plain, stable);
    FUZZ_CHECK(g_str_equal(pool->uuid, again->uuid) && g_str_equal(pool->name, again->name), "%s",
               plain);
}
