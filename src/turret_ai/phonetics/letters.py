# SPDX-License-Identifier: Apache-2.0
"""How an unknown English word sounds: letter rules of our own.

The rules are tried from the top at each place; the first whose letters and surroundings fit gives
its phones. They need not be perfect: the decoder expects wrong sounds, and is used to sounds that
these rules get wrong, since both sides of a comparison pass through them.
"""

from __future__ import annotations

import re
from functools import lru_cache

_RULES = r"""
# letters | what precedes | what follows | phones
tion||s?$|sh ah n
le|[bcdfgkptz]|s?$|ah l
ead||[^e]|eh d
ead||$|eh d
ssion|||sh ah n
sion|[aeiour]||zh ah n
sion|||sh ah n
cian|||sh ah n
cious|||sh ah s
tious|||sh ah s
cial|||sh ah l
tial|||sh ah l
ture||s?$|ch er
sure|[aeiou]||zh er
sure|||sh er
age|[^aeiou]|s?$|ih jh
ough|[tc]h|t|ao
ough|thr||uw
ough|d||ow
ough|[cr]||ah f
ough|||ao
augh|l||ae f
augh|||ao
eigh|||ey
igh|||ay
ght|||t
tch|||ch
sch|^|[ao]|s k
sch|||sh
sci|^||s ay
chr|^||k r
ch|||ch
ck|||k
cc||[ei]|k s
cc|||k
qu||e$|k
qu|||k w
q|||k
wh|^|o|hh
wh|||w
wr|^||r
kn|^||n
gn|^||n
gn||$|n
ps|^||s
pn|^||n
ph|||f
rh|^||r
gh|^||g
gh|||
sh|||sh
th||er$|dh
th|^|(e|is|at|ey|em|en|an|ose|ese|us|ere|eir|is)|dh
th|||th
dge|||jh
dg|||jh
mb||s?$|m
mn||$|m
lm|a||m
lk|a||k
lf|a|$|f
alk|||ao k
all|||ao l
al||t|ao l
wa||t|w ao
war|||w ao r
wor|||w er
wa||[sn]|w aa
ng||e[rd]?$|n jh
ng|||ng
nk|||ng k
n||[kqxg]|ng
ss|||s
zz|||z
ll|||l
rr|||r
mm|||m
nn|||n
pp|||p
tt|||t
dd|||d
bb|||b
ff|||f
gg|||g
sc||[eiy]|s
c||[eiy]|s
c|||k
g||(et|iv|ir|ea)|g
g||[eiy]|jh
g|||g
ge||$|jh
j|||jh
x|^||z
x|||k s
y|^||y
y|^[^aeiouy]+|$|ay
y||$|iy
y|[^aeiou]|[^aeiou]e$|ay
y|||ih
s|[aeiou]|e$|z
s|[aeiou]|[aeiou]|z
s|[bdgvmnlrw]|$|z
s|(ie|ee|oo|ea|ou|ay|oy|ow|ue|e)|$|z
s|||s
ed|[td]|$|ih d
ed|[pkfcsx]|$|t
ed|[^aeiou]|$|d
es|(s|sh|ch|x|z|c|g)|$|ih z
es|[^aeiou]|$|z
eer|||ih r
ear|[^aeiou]|[nlt]|er
ear|||ih r
air|||eh r
are||$|eh r
arr|||eh r
ar||[aeiou]|eh r
ar|||aa r
ere||$|ih r
err|||eh r
er||[iy]|eh r
er|||er
ire|||ay er
ir|||er
ore|||ao r
oor|||ao r
oar|||ao r
our|||ao r
orr|||ao r
or|[a-z]{3}|$|er
or|||ao r
ure|||y uh r
ur|||er
eau|||ow
ee|||iy
ea|||iy
ei|c||iy
ei|||ey
eu|||uw
ew|||uw
ey||$|iy
ey|||ey
ie||[a-z]|iy
ie||$|ay
ai|||ey
ay|||ey
au|||ao
aw|||ao
oa|||ow
oe||$|ow
oi|||oy
oy|||oy
oo||k|uh
oo|||uw
ou||s$|ah
ou||l[dl]|uh
ou|||aw
ow||n|aw
ow||$|ow
ow|||aw
ue||$|uw
ui|||uw
uy|||ay
a||[^aeioux][aeiouy]($|[sd]$|ment|ly|r$|ful)|ey
a|[a-z]{2}|$|ah
a|^|[bcdfglmnprstvw][bcdfghlmnprstvw]?[aeiouy][a-z]{2}|ah
a|||ae
e|[a-z][^aeiou]|$|
e|[aeiou][^aeiou]|$|
e||[^aeiouwxr]e$|iy
e|^[^aeiou]+|$|iy
e|[a-z]{2}|[lnmt]$|ah
e|||eh
i||nd$|ay
i||ld$|ay
i||[^aeioux]e[sdr]?$|ay
i||[aeo]|iy
i|||ih
o||[^aeioux]e[sdr]?$|ow
o||$|ow
o||l[dtk]|ow
o||st$|ow
o||[nm]$|ah
o||ve|ah
o|||aa
u||[^aeioux][aeiou]|uw
u|[bpf]|[ls]|uh
u|||ah
b|||b
d|||d
f|||f
h|||hh
k|||k
l|||l
m|||m
n|||n
p|||p
r|||r
t|||t
v|||v
w||[aeiouhy]|w
w|||
z|||z
"""

Rule = tuple[str, "re.Pattern[str] | None", "re.Pattern[str] | None", tuple[str, ...]]


def _compile() -> dict[str, list[Rule]]:
    table: dict[str, list[Rule]] = {}
    for line in _RULES.strip().splitlines():
        if line.startswith("#"):
            continue
        head, phones = line.rsplit("|", 1)
        letters, rest = head.split("|", 1)
        cut = next(
            i
            for i, sign in enumerate(rest)
            if sign == "|" and rest.count("(", 0, i) == rest.count(")", 0, i)
        )
        before, after = rest[:cut], rest[cut + 1 :]
        table.setdefault(letters[0], []).append(
            (
                letters,
                re.compile(f"(?:{before})$") if before else None,
                re.compile(after) if after else None,
                tuple(phones.split()),
            )
        )
    return table


_TABLE = _compile()

_NAMES = (
    "a=ey;b=b iy;c=s iy;d=d iy;e=iy;f=eh f;g=jh iy;h=ey ch;i=ay;j=jh ey;k=k ey;l=eh l;m=eh m;"
    "n=eh n;o=ow;p=p iy;q=k y uw;r=aa r;s=eh s;t=t iy;u=y uw;v=v iy;w=d ah b ah l y uw;"
    "x=eh k s;y=w ay;z=z iy"
)
LETTER_NAMES: dict[str, tuple[str, ...]] = {
    entry.split("=")[0]: tuple(entry.split("=")[1].split()) for entry in _NAMES.split(";")
}
"""The names of the letters, for abbreviations."""


@lru_cache(maxsize=20_000)
def sound(word: str) -> tuple[str, ...]:
    """The phones of a lower-case word by rule; a word without a vowel is spelled out."""
    word = word.replace("'", "")
    if not any(c in "aeiouy" for c in word):
        return tuple(phone for c in word for phone in LETTER_NAMES.get(c, ()))
    phones: list[str] = []
    i = 0
    while i < len(word):
        for letters, before, after, says in _TABLE.get(word[i], ()):
            end = i + len(letters)
            if (
                word.startswith(letters, i)
                and (before is None or before.search(word, 0, i))
                and (after is None or after.match(word, end))
            ):
                phones.extend(says)
                i = end
                break
        else:
            # only signs that are no letters come here
            i += 1
    return tuple(phones)
