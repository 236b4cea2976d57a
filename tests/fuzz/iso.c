/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names on an image with the guest's driver, one per line ("/" at the end: a directory), and the resulting image. */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iso/iso.h"
#include "iso/write.h"

#define NAMES_MAX 12

static void
add(VgpuIso *iso, const char *name, GError **error)
{
    gsize len = strlen(name);
    bool is_dir = g_str_has_suffix(name, "/");
    g_autofree char *path = g_strndup(name, is_dir ? len - 1 : len);
    bool done = is_dir ? vgpu_iso_add_dir(iso, path, error)
                       : vgpu_iso_add_text(iso, path, "text\n", len & 1, error);

    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    fuzz_outcome(done, *error);
    if (!done)
        return;
    FUZZ_CHECK(vgpu_iso_has(iso, path), "%s", path);
    FUZZ_CHECK(*path && *path != '/' && fuzz_is_printable(path), "'%s'", path);
    for (char **part = parts; *part; part++)
        FUZZ_CHECK(**part && !g_str_equal(*part, "..") && !g_str_equal(*part, "."), "'%s'", path);
}

static void
write_image(const VgpuIso *iso)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    bool written = vgpu_iso_write(iso, VGPU_ISO_LABEL, fd, &error);
    char magic[5] = "";

    fuzz_outcome(written, error);
    if (written) {
        FUZZ_CHECK(pread(fd, magic, sizeof(magic), 16 * 2048 + 1) == sizeof(magic), "no volume");
        FUZZ_CHECK(memcmp(magic, "CD001", sizeof(magic)) == 0, "no volume");
    }
    close(fd);
}

FUZZ_TARGET(iso)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    const char *at = text;

    for (guint n = 0; *at && n < NAMES_MAX; n++) {
        g_autofree char *name = fuzz_line(&at);
        g_autoptr(GError) error = NULL;

        (void) vgpu_iso_is_label(name);
        add(iso, name, &error);
    }
    write_image(iso);
}
