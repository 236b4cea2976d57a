#include "cli/command.h"

char *
vgpu_command_program(const char *name)
{
    const char *dir = g_getenv("VIRT_VGPU_LIBEXECDIR");

    return g_build_filename(dir ? dir : VGPU_LIBEXECDIR, name, NULL);
}
