/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/boards.h"

#include <sys/stat.h>

#include "base/names.h"

/* More than a host has kinds of boards, and a driver has types for one (NVIDIA's lists have up to 70). */
#define BOARDS_MAX 32
#define PROFILES_MAX 256
#define FILE_MAX (1024 * 1024)
#define NAME_MAX_LEN 128

#define GROUP_END "end" /* as in the records of vGPUs: a file without it was cut off */
#define DRIVER "driver"
#define CARD "card-mib"

typedef struct {
    char *id; /* "0x10de:0x26b9 0x10de:0x1851" */
    char *driver;
    guint card_mib;
    GPtrArray *profiles; /* of VgpuProfile, as vgpu_profile_guess() makes them */
} Board;

struct VgpuBoards {
    VgpuWriter *writer;
    char *path;
    GPtrArray *boards; /* of Board, the oldest first */
};

static void
board_free(gpointer data)
{
    Board *board = data;

    g_free(board->id);
    g_free(board->driver);
    g_ptr_array_unref(board->profiles);
    g_free(board);
}

static Board *
add_board(VgpuBoards *self, const char *id, const char *driver)
{
    Board *board = g_new0(Board, 1);

    if (self->boards->len == BOARDS_MAX)
        g_ptr_array_remove_index(self->boards, 0);
    board->id = g_strdup(id);
    board->driver = g_strdup(driver);
    board->profiles = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_profile_free);
    g_ptr_array_add(self->boards, board);
    return board;
}

/* Whether it is new. */
static bool
add_profile(Board *board, const char *id, const char *name)
{
    VgpuProfile *profile;

    for (guint i = 0; i < board->profiles->len; i++) {
        if (g_str_equal(((const VgpuProfile *) board->profiles->pdata[i])->id, id))
            return false;
    }
    if (board->profiles->len == PROFILES_MAX || !g_utf8_validate(name, -1, NULL) ||
        g_utf8_strlen(name, -1) > NAME_MAX_LEN)
        return false;
    profile = vgpu_profile_new(id, name);
    vgpu_profile_guess(profile);
    g_ptr_array_add(board->profiles, profile);
    return true;
}

/* --- on disk ------------------------------------------------------------------------------ */

static bool
read_board(VgpuBoards *self, GKeyFile *kf, const char *group)
{
    g_autofree char *driver = g_key_file_get_string(kf, group, DRIVER, NULL);
    g_auto(GStrv) keys = g_key_file_get_keys(kf, group, NULL, NULL);
    gint card_mib = g_key_file_get_integer(kf, group, CARD, NULL);
    Board *board;

    if (!driver || card_mib < 0)
        return false;
    board = add_board(self, group, driver);
    board->card_mib = (guint) card_mib;
    for (char **key = keys; *key; key++) {
        g_autofree char *name = g_key_file_get_string(kf, group, *key, NULL);

        if (name && !g_str_equal(*key, DRIVER) && !g_str_equal(*key, CARD))
            (void) add_profile(board, *key, name);
    }
    return true;
}

/* NULL: all is well. */
static const char *
read_boards(VgpuBoards *self, GKeyFile *kf)
{
    g_auto(GStrv) groups = g_key_file_get_groups(kf, NULL);

    if (!g_key_file_get_boolean(kf, GROUP_END, "complete", NULL))
        return "it is not complete";
    for (char **group = groups; *group; group++) {
        if (!g_str_equal(*group, GROUP_END) && !read_board(self, kf, *group)) {
            g_ptr_array_set_size(self->boards, 0);
            return "a board in it has no driver";
        }
    }
    return NULL;
}

static void
load(VgpuBoards *self)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autoptr(GError) error = NULL;
    const char *why;
    struct stat st;

    if (stat(self->path, &st) < 0) /* nothing was seen yet, or it cannot be read */
        return;
    if (st.st_size > FILE_MAX)
        why = "it is too big";
    else if (!g_key_file_load_from_file(kf, self->path, G_KEY_FILE_NONE, &error))
        why = error->message;
    else
        why = read_boards(self, kf);
    if (why)
        g_warning("cannot read %s, which has the profiles seen on boards so far, starting a new "
                  "one: %s",
                  self->path, why);
}

static void
save(const VgpuBoards *self)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autofree char *data = NULL;
    gsize len;

    for (guint i = 0; i < self->boards->len; i++) {
        const Board *board = g_ptr_array_index(self->boards, i);

        g_key_file_set_string(kf, board->id, DRIVER, board->driver);
        g_key_file_set_integer(kf, board->id, CARD, (gint) MIN(board->card_mib, G_MAXINT));
        for (guint j = 0; j < board->profiles->len; j++) {
            const VgpuProfile *profile = g_ptr_array_index(board->profiles, j);

            g_key_file_set_string(kf, board->id, profile->id, profile->name);
        }
    }
    g_key_file_set_boolean(kf, GROUP_END, "complete", TRUE);
    data = g_key_file_to_data(kf, &len, NULL);
    vgpu_writer_put(self->writer, self->path, data, len);
}

VgpuBoards *
vgpu_boards_load(const char *root, VgpuWriter *writer)
{
    VgpuBoards *self = g_new0(VgpuBoards, 1);

    self->writer = writer;
    self->path = g_build_filename(root, VGPU_PATH_BOARDS, NULL);
    self->boards = g_ptr_array_new_with_free_func(board_free);
    load(self);
    return self;
}

void
vgpu_boards_free(VgpuBoards *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->boards);
    g_free(self->path);
    g_free(self);
}

/* --- what is seen ------------------------------------------------------------------------- */

/* NULL: it cannot be told from others, or its driver always lists all. */
static char *
id_of(const VgpuGpu *gpu)
{
    if (gpu->interface != VGPU_INTERFACE_VENDOR_VFIO || !gpu->vendor_id || !gpu->product_id)
        return NULL;
    return g_strdup_printf("%s:%s %s", gpu->vendor_id, gpu->product_id,
                           gpu->subsystem ? gpu->subsystem : "-");
}

static const char *
driver_of(const VgpuGpu *gpu)
{
    return gpu->driver_version ? gpu->driver_version : "unknown";
}

static Board *
find(const VgpuBoards *self, const char *id)
{
    for (guint i = 0; id && i < self->boards->len; i++) {
        Board *board = g_ptr_array_index(self->boards, i);

        if (g_str_equal(board->id, id))
            return board;
    }
    return NULL;
}

void
vgpu_boards_note(VgpuBoards *self, const VgpuGpu *gpu)
{
    g_autofree char *id = id_of(gpu);
    Board *board = find(self, id);
    bool changed = false;

    if (!id || !gpu->profiles->len)
        return;
    if (board && !g_str_equal(board->driver, driver_of(gpu))) {
        g_ptr_array_remove(self->boards, board);
        board = NULL;
    }
    if (!board)
        board = add_board(self, id, driver_of(gpu));
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        changed |= add_profile(board, profile->id, profile->name);
    }
    changed |= gpu->card_mib > board->card_mib;
    board->card_mib = MAX(board->card_mib, gpu->card_mib);
    if (changed)
        save(self);
}

void
vgpu_boards_recall(const VgpuBoards *self, VgpuGpu *gpu)
{
    g_autofree char *id = id_of(gpu);
    const Board *board = find(self, id);

    if (!board || !g_str_equal(board->driver, driver_of(gpu)))
        return;
    gpu->card_mib = MAX(gpu->card_mib, board->card_mib);
    for (guint i = 0; i < board->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(board->profiles, i);

        if (!vgpu_gpu_find_profile(gpu, profile->id))
            (void) vgpu_gpu_take_profile(gpu, vgpu_profile_copy(profile));
    }
}
