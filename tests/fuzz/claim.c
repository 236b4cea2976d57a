/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of an owner's vGPUs, as a file in /run or /var/lib: read, written, read again. */
#include "fuzz.h"

#include <string.h>

#include "core/claim.h"

#define KEY "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"

static char *
content(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, KEY, NULL);
    char *text = NULL;

    (void) g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

/* The file that stores the record of @from. */
static char *
rewrite(const char *from, const char *to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuClaimStore) in = vgpu_claim_store_new(from, &error);
    g_autoptr(VgpuClaimStore) out = vgpu_claim_store_new(to, &error);
    g_autoptr(GHashTable) owners = NULL;
    VgpuOwner *owner;

    FUZZ_CHECK(in && out, "%s", error->message);
    owners = vgpu_claim_store_load(in, &error);
    FUZZ_CHECK(owners, "%s", error->message);
    owner = g_hash_table_lookup(owners, KEY);
    if (!owner)
        return NULL;
    for (guint i = 0; i < owner->claims->len; i++) {
        const VgpuClaim *claim = owner->claims->pdata[i];
        g_autoptr(VgpuClaim) copy = vgpu_claim_copy(claim);

        FUZZ_CHECK(claim->uuid && strlen(claim->uuid) == 36, "a vGPU without UUID");
        FUZZ_CHECK(claim->owner == NULL || claim->owner == owner, "another owner's");
        FUZZ_CHECK(g_str_equal(copy->uuid, claim->uuid), "a copy");
    }
    FUZZ_CHECK(vgpu_claim_store_save(out, owner, &error), "%s", error->message);
    return content(to);
}

FUZZ_TARGET(claim)
{
    g_autofree char *first = fuzz_path("first"), *second = fuzz_path("second"),
                    *third = fuzz_path("third"), *file = g_build_filename(first, KEY, NULL);
    g_autofree char *once = NULL, *twice = NULL;

    (void) g_mkdir_with_parents(first, 0700);
    fuzz_write(file, data, size);
    once = rewrite(first, second);
    if (once) {
        twice = rewrite(second, third);
        FUZZ_CHECK(twice && g_str_equal(once, twice), "%s\n%s", once, twice);
    }
    fuzz_remove(second);
    fuzz_remove(third);
}
