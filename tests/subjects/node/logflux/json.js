// JSON as LogFlux reads it, and what refuses. It shares no code with LogFlux.
'use strict';
const TOKEN = /[ \t\n\r]*([{}[\]:,]|"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\x00-\x1f]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Refused extends Error {
  constructor(stage) {
    super(stage ?? 'refused');
    this.stage = stage;
  }
}

function need(so, stage) {
  if (!so) throw new Refused(stage);
}

function text(bytes, stage) {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Refused(stage);
  }
}

// JSON with distinct keys, in which integers (bigint) and other numbers differ.
function readJson(source) {
  let at = 0;
  const token = () => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    need(match, 'json');
    at = TOKEN.lastIndex;
    return match[1];
  };
  const value = (t) => {
    if (t === '{') {
      const object = new Map();
      for (t = token(); t !== '}'; t = t === ',' ? string(token()) : t) {
        if (object.size === 0) string(t);
        const key = JSON.parse(t);
        need(!object.has(key) && token() === ':', 'json');
        object.set(key, value(token()));
        t = token();
        need(t === ',' || t === '}', 'json');
        if (t === '}') break;
      }
      return object;
    }
    if (t === '[') {
      t = token();
      while (t !== ']') {
        value(t);
        t = token();
        need(t === ',' || t === ']', 'json');
        if (t === ',') need((t = token()) !== ']', 'json');
      }
      return [];
    }
    need(!']}:,'.includes(t), 'json');
    if (t[0] === '"') return JSON.parse(string(t));
    return /^-?\d+$/.test(t) ? BigInt(t) : JSON.parse(t);
  };
  // Half a surrogate pair is matched alone.
  const string = (t) => (need(t[0] === '"' && !/[\ud800-\udfff]/u.test(JSON.parse(t)), 'json'), t);
  const read = value(token());
  need(/^[ \t\n\r]*$/.test(source.slice(at)), 'json');
  return read;
}

module.exports = { Refused, need, readJson, text };
