// SPDX-License-Identifier: LGPL-2.1-or-later
// Translations: reads po files, makes of one what cockpit.js loads, and finds the messages of the sources. Run as a
// program it prints the messages that a po file lacks or has too many, and fails if there are any.
import fs from "node:fs";
import path from "node:path";

// The messages of a po file: [{ id, plural, texts }]; the first has the header.
export function parsePo(text) {
    const messages = [];
    let message = null;
    let field = null;
    for (const line of text.split("\n")) {
        const match = line.match(/^(msgid|msgid_plural|msgstr(?:\[\d\])?)? *(".*")$/);
        if (!match)
            continue;
        const string = JSON.parse(match[2]);
        if (match[1] === "msgid") {
            message = { id: "", plural: "", texts: [] };
            messages.push(message);
        }
        field = match[1] ?? field;
        if (field === "msgid")
            message.id += string;
        else if (field === "msgid_plural")
            message.plural += string;
        else if (match[1])
            message.texts.push(string);
        else
            message.texts[message.texts.length - 1] += string;
    }
    return messages;
}

export const readPo = file => parsePo(fs.readFileSync(file, "utf8"));

// The argument of cockpit.locale(); it ignores the first item of each list.
export function locale([header, ...messages]) {
    const field = name => header.texts[0].match(new RegExp(`^${name}: *(.*)$`, "m"))[1];
    const plural = field("Plural-Forms").match(/^nplurals=\d; plural=([n0-9 !=<>&|?:%()]+);$/)[1];
    const head = `"plural-forms":n=>${plural},"language":${JSON.stringify(field("Language"))},"language-direction":"ltr"`;
    const lines = messages.map(m => `${JSON.stringify(m.id)}:${JSON.stringify([null, ...m.texts])}`);
    return `cockpit.locale({"":{${head}},\n${lines.join(",\n")}});\n`;
}

const unquote = string => JSON.parse(string.replace(/\\'/g, "'"));

// The messages that a source marks with _() or ngettext(), each in one string.
export function marked(source) {
    const found = [];
    for (const [, id] of source.matchAll(/\b_\(\s*("(?:[^"\\]|\\.)*")\s*,?\s*\)/g))
        found.push(unquote(id));
    for (const [, id] of source.matchAll(/\bngettext\(\s*("(?:[^"\\]|\\.)*")/g))
        found.push(unquote(id));
    return found;
}

function sources(dir) {
    return fs.readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
        const file = path.join(dir, entry.name);
        return entry.isDirectory() ? sources(file) : /\.tsx?$/.test(file) ? [file] : [];
    });
}

// What is wrong with a po file, a line each.
export function compare(messages, wanted) {
    const ids = new Set(messages.slice(1).map(m => m.id));
    return [
        ...[...wanted].filter(id => !ids.has(id)).map(id => `missing: ${JSON.stringify(id)}`),
        ...[...ids].filter(id => !wanted.has(id)).map(id => `unused: ${JSON.stringify(id)}`),
        ...messages.filter(m => m.texts.some(text => !text)).map(m => `not translated: ${JSON.stringify(m.id)}`),
    ];
}

if (path.basename(process.argv[1] ?? "") === "po.mjs") {
    const here = path.dirname(process.argv[1]);
    const wanted = new Set(sources(path.join(here, "src")).flatMap(file => marked(fs.readFileSync(file, "utf8"))));
    const wrong = fs.readdirSync(path.join(here, "po")).flatMap(name =>
        compare(readPo(path.join(here, "po", name)), wanted).map(line => `po/${name}: ${line}`));
    for (const line of wrong)
        console.log(line);
    process.exit(wrong.length ? 1 : 0);
}
