/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of other programs: modprobe.d, mdevctl's, boot scripts, gim_config; and output that contains two arbitrary
 * texts. The first byte chooses. */
#include "fuzz.h"

#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define HAVE_LSAN 1
#endif
#endif

#include "cli/boot-lines.h"
#include "cli/disguise.h"
#include "cli/line-diff.h"
#include "cli/mdevctl.h"
#include "cli/modprobe.h"
#include "cli/samples.h"
#include "setup/gim.h"

#define PARENT "0000:41:00.0"
#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define LINE "options nvidia NVreg_RegistryDwordsPerDevice=\"pci=0000:41:00.0;RmPVMRL=0x1\""

/* The file at @path below the target's directory. */
static char *
put(const char *path, const guint8 *data, gsize size)
{
    char *whole = fuzz_path(path);
    g_autofree char *dir = g_path_get_dirname(whole);

    (void) g_mkdir_with_parents(dir, 0700);
    fuzz_write(whole, data, size);
    return whole;
}

static void
try_modprobe(const guint8 *data, gsize size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autofree char *once = vgpu_modprobe_merge(text, LINE);
    g_autofree char *twice = vgpu_modprobe_merge(once, LINE);

    FUZZ_CHECK(strstr(once, "pci=0000:41:00.0;RmPVMRL=0x1"), "%s", once);
    FUZZ_CHECK(g_str_equal(once, twice), "%s\n%s", once, twice);
}

static void
try_mdevctl(const guint8 *data, gsize size)
{
    g_autofree char *file = put(VGPU_MDEVCTL_DIR "/" PARENT "/" UUID, data, size);
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(fuzz_dir(), NULL);
    g_autoptr(VgpuMdevctl) found = NULL, read = NULL;

#ifdef HAVE_LSAN
    __lsan_disable(); /* json-glib (1.6) leaks all but the last of several documents in one text */
#endif
    found = vgpu_mdevctl_find(fs, UUID);
    read = vgpu_mdevctl_read(fs, PARENT, UUID);
#ifdef HAVE_LSAN
    __lsan_enable();
#endif
    FUZZ_CHECK(!found == !read, "%s", file);
    FUZZ_CHECK(!found || g_str_equal(found->parent, PARENT), "%s", found->parent);
}

static void
try_boot_lines(const guint8 *data, gsize size)
{
    static const char *const paths[] = { "etc/rc.local", "etc/systemd/system/vgpu.service" };
    g_autofree char *file = put(paths[fuzz_pick(data, size, 2)], data, size);
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(fuzz_dir(), NULL);
    g_autoptr(GPtrArray) lines = vgpu_boot_lines_find(fs);

    for (guint i = 0; i < lines->len; i++) {
        g_autofree char *advice = vgpu_boot_line_advice(lines->pdata[i]);

        FUZZ_CHECK(g_utf8_validate(advice, -1, NULL) && !strchr(advice, '\n'), "%s", advice);
    }
    fuzz_remove(file);
}

static void
try_gim(const guint8 *data, gsize size)
{
    g_autofree char *file = put(VGPU_GIM_CONFIG, data, size);
    g_autofree char *once = NULL, *twice = NULL;
    g_autoptr(GError) error = NULL;

    if (!vgpu_gim_write_config(fuzz_dir(), 4, &error)) {
        FUZZ_CHECK(memchr(data, '\0', size), "%s", error->message);
        return;
    }
    (void) g_file_get_contents(file, &once, NULL, NULL);
    FUZZ_CHECK(vgpu_gim_write_config(fuzz_dir(), 4, &error), "%s", error->message);
    (void) g_file_get_contents(file, &twice, NULL, NULL);
    FUZZ_CHECK(g_strcmp0(once, twice) == 0, "%s\n%s", once, twice);
}

static void
try_diff(const guint8 *data, gsize size)
{
    gsize half = size / 2;
    g_autofree char *before = fuzz_text(data, half), *after = fuzz_text(data + half, size - half);
    g_autofree char *diff = vgpu_line_diff("x", before, after);
    g_autofree char *none = vgpu_line_diff("x", before, before);

    FUZZ_CHECK(!*none, "%s", none);
    FUZZ_CHECK(!*diff == g_str_equal(before, after), "%s", diff);
}

/* Only whole words are replaced, so append some. */
static void
try_disguise(const guint8 *data, gsize size)
{
    g_autofree char *valid = fuzz_utf8(data, size);
    g_autofree char *text = g_strconcat(valid, " host7.example.org " UUID, NULL);
    g_autoptr(VgpuDisguise) disguise = vgpu_disguise_new("host7.example.org");
    g_autofree char *shown = vgpu_disguise_text(disguise, text);
    g_autofree char *ids = vgpu_disguise_ids(disguise, text);

    FUZZ_CHECK(!g_str_has_suffix(shown, UUID) && !g_str_has_suffix(ids, UUID), "%s", shown);
    FUZZ_CHECK(!strstr(shown, " host7.example.org "), "%s", shown);
}

static void
try_samples(const guint8 *data, gsize size)
{
    g_autofree char *text = fuzz_utf8(data, size);
    g_autofree char *json = vgpu_samples_json(text);

    FUZZ_CHECK(g_utf8_validate(json, -1, NULL), "%s", json);
}

FUZZ_TARGET(files)
{
    static void (*const tries[])(const guint8 *data, gsize size) = {
        try_modprobe, try_mdevctl, try_boot_lines, try_gim, try_diff, try_disguise, try_samples,
    };

    if (size > 0)
        tries[(guint) *data % G_N_ELEMENTS(tries)](data + 1, size - 1);
}
