/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/stream.h"

#define SECTOR 2048
#define BLOCK (32 * SECTOR)

/* Whether @status of libisofs is a success; if not, @error gets its message. */
static bool
check(int status, const char *what, GError **error)
{
    if (status >= 0)
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "%s: %s", what, iso_error_to_msg(status));
    return false;
}

static gpointer
start_library(gpointer unused)
{
    int status = iso_init_with_flag(1); /* the program's locale is left unchanged */

    if (status >= 0) {
        /* drop its messages: status and VgpuIsoTrouble have the errors */
        (void) iso_set_msgs_severities((char *) "NEVER", (char *) "NEVER", (char *) "");
        (void) iso_set_local_charset((char *) "UTF-8", 0);
    }
    return GINT_TO_POINTER(status);
}

static void
set_attributes(IsoNode *node, const VgpuIsoEntry *entry)
{
    iso_node_set_permissions(node, entry->mode);
    iso_node_set_mtime(node, entry->mtime);
    iso_node_set_atime(node, entry->mtime);
    iso_node_set_ctime(node, entry->mtime);
}

/* @dirs: path -> IsoDir. */
static bool
plant(const VgpuIsoEntry *entry, guint number, GHashTable *dirs, VgpuIsoTrouble *trouble,
      GError **error)
{
    const char *slash = strrchr(entry->path, '/');
    g_autofree char *above =
        slash ? g_strndup(entry->path, (gsize) (slash - entry->path)) : g_strdup("");
    IsoDir *parent = g_hash_table_lookup(dirs, above);
    const char *name = slash ? slash + 1 : entry->path;
    IsoStream *stream;
    IsoFile *file;
    IsoDir *dir;
    int status;

    if (entry->fd < 0) {
        status = iso_tree_add_new_dir(parent, name, &dir);
        if (!check(status, entry->path, error))
            return false;
        set_attributes((IsoNode *) dir, entry);
        g_hash_table_insert(dirs, g_strdup(entry->path), dir);
        return true;
    }
    stream = vgpu_iso_stream_new(entry->fd, entry->size, entry->path, number, trouble);
    status = iso_tree_add_new_file(parent, name, stream, &file);
    if (!check(status, entry->path, error)) {
        iso_stream_unref(stream);
        return false;
    }
    set_attributes((IsoNode *) file, entry);
    return true;
}

static IsoImage *
make_image(const VgpuIso *iso, const char *label, VgpuIsoTrouble *trouble, GError **error)
{
    g_autoptr(GHashTable) dirs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const GPtrArray *entries = vgpu_iso_entries(iso);
    IsoImage *image;

    if (!check(iso_image_new(label, &image), "cannot create an image", error))
        return NULL;
    iso_image_set_volume_id(image, label);
    g_hash_table_insert(dirs, g_strdup(""), iso_image_get_root(image));
    for (guint i = 0; i < entries->len; i++) {
        if (!plant(entries->pdata[i], i + 1, dirs, trouble, error)) {
            iso_image_unref(image);
            return NULL;
        }
    }
    return image;
}

/* Level 3 for files of 4 GiB and more; Joliet names of 103 characters, since names in Windows' drivers
 * are longer than 64; identifiers with lower case and '-'. */
static struct burn_source *
make_source(IsoImage *image, GError **error)
{
    IsoWriteOpts *options;
    struct burn_source *source = NULL;
    int status = iso_write_opts_new(&options, 0);

    if (!check(status, "cannot create an image", error))
        return NULL;
    iso_write_opts_set_iso_level(options, 3);
    iso_write_opts_set_rockridge(options, 1);
    iso_write_opts_set_joliet(options, 1);
    iso_write_opts_set_joliet_long_names(options, 1);
    iso_write_opts_set_joliet_longer_paths(options, 1);
    iso_write_opts_set_allow_deep_paths(options, 1);
    iso_write_opts_set_allow_longer_paths(options, 1);
    iso_write_opts_set_relaxed_vol_atts(options, 1);
    iso_write_opts_set_dir_rec_mtime(options, 3);
    iso_write_opts_set_always_gmt(options, 1);
    iso_write_opts_set_replace_mode(options, 0, 0, 1, 1); /* owned by root */
    iso_write_opts_set_output_charset(options, "UTF-8");
    status = iso_image_create_burn_source(image, options, &source);
    iso_write_opts_free(options);
    return check(status, "cannot create an image", error) ? source : NULL;
}

static bool
write_all(int fd, const unsigned char *data, gsize len, GError **error)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return vgpu_error_errno(error, VGPU_ERROR_FAILED, n < 0 ? errno : EIO,
                                    "cannot write the image");
        data += n;
        len -= (gsize) n;
    }
    return true;
}

/* The next bytes of the image, 0 at its end; libisofs counts in sectors, so a partial one would be lost. */
static gsize
fill(struct burn_source *source, unsigned char *block)
{
    gsize len = 0;

    while (len < BLOCK) {
        int n = source->version ? source->read_xt(source, block + len, SECTOR)
                                : source->read(source, block + len, SECTOR);

        if (n <= 0)
            break;
        len += (gsize) n;
    }
    return len;
}

/* Takes @source, whose data another thread of libisofs produces. */
static bool
drain(struct burn_source *source, int fd, GError **error)
{
    g_autofree unsigned char *block = g_malloc(BLOCK);
    gsize want = (gsize) source->get_size(source), done = 0, len;
    bool is_good = true;

    while (is_good && (len = fill(source, block)) > 0) {
        is_good = write_all(fd, block, len, error);
        done += len;
    }
    if (is_good && done != want) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, "cannot complete the image");
        is_good = false;
    }
    if (!is_good && source->version)
        source->cancel(source);
    source->free_data(source);
    free(source);
    return is_good;
}

static bool
check_output(int fd, GError **error)
{
    int flags = fcntl(fd, F_GETFL);
    struct stat st;

    if (flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY &&
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return true;
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "the output is not a regular file that is open for writing");
    return false;
}

bool
vgpu_iso_write(const VgpuIso *iso, const char *label, int fd, GError **error)
{
    static GOnce once = G_ONCE_INIT;
    VgpuIsoTrouble trouble = { 0 };
    struct burn_source *source;
    IsoImage *image;
    bool done;

    if (!check_output(fd, error) || !check(GPOINTER_TO_INT(g_once(&once, start_library, NULL)),
                                           "cannot start libisofs", error))
        return false;
    g_mutex_init(&trouble.lock);
    image = make_image(iso, label, &trouble, error);
    source = image ? make_source(image, error) : NULL;
    done = source && drain(source, fd, error);
    if (image)
        iso_image_unref(image);
    if (trouble.text) { /* the cause of all other errors */
        if (error)
            g_clear_error(error);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, trouble.text);
        done = false;
    }
    g_free(trouble.text);
    g_mutex_clear(&trouble.lock);
    return done;
}
