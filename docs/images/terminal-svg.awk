# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes a picture of a terminal, as an SVG made of text, from a transcript: a line that begins with "# " is a command
# of root, every other line is output. The transcript is ASCII, of 80 columns at most.
#
#   awk -v title=TITLE -f terminal-svg.awk TRANSCRIPT.txt > PICTURE.svg
#
# pictures.sh has the titles, and makes all pictures again. tests/check-docs.sh compares.
BEGIN {
    pad = 16; bar = 32; step = 20; advance = 8.4 # of a character, in a font of 14 pixels
    while (++code < 127)
        if (code >= 32)
            printable = printable sprintf("%c", code)
}

function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}

# The length is given, so that columns stay in line in any font.
function put(text, column, class,    length_) {
    length_ = length(text)
    if (length_)
        body = body sprintf("<text class=\"%s\" x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" xml:space=\"preserve\">%s</text>\n",
                            class, pad + column * advance, bar + NR * step, length_ * advance, escaped(text))
}

{
    for (i = 1; i <= length($0); i++)
        if (!index(printable, substr($0, i, 1)))
            bad = bad FILENAME ":" NR ": a character that is not ASCII\n"
    if (length($0) > 80)
        bad = bad FILENAME ":" NR ": more than 80 columns\n"
    if (/^# /) {
        put("#", 0, "prompt")
        put(substr($0, 3), 2, "command")
    } else {
        match($0, /^ */)
        put(substr($0, RLENGTH + 1), RLENGTH, "output")
    }
}

END {
    if (bad) {
        printf "%s", bad > "/dev/stderr"
        exit 1
    }
    width = int(2 * pad + 80 * advance)
    height = bar + NR * step + pad
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
           width, height, width, height
    print "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->"
    printf "<title>%s</title>\n", escaped(title)
    print "<style>"
    print "text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre }"
    print ".output { fill: #c8cdd6 }"
    print ".command { fill: #ffffff; font-weight: bold }"
    print ".prompt { fill: #7fb069 }"
    print "</style>"
    printf "<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#1e222a\"/>\n", width, height
    printf "<rect width=\"%d\" height=\"24\" rx=\"8\" fill=\"#343a46\"/>\n", width
    printf "%s</svg>\n", body
}
