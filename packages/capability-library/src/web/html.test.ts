import fc from 'fast-check';
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5';
import { expect, test } from 'vitest';
import { sanitiseHtml } from './html-sanitise.ts';
import { selectHtml } from './html-select.ts';
import { htmlToText, linksOf } from './html-text.ts';

const page = `<!doctype html><html><head><title>T</title><style>p{}</style><base href="/docs/"></head><body>
<h1 id="top" class="big title">Hello <b>World</b></h1><script>alert(1)</script>
<p class=lead>First&nbsp;&amp; second<br>line</p><ul><li>one<li data-n="2">two</ul><pre>a
  b</pre><a href="a.html">A</a> <a href="https://other.example/">B</a> <a href="javascript:x">C</a>
<a href="a.html">A again</a></body></html>`;

test('text is what a reader sees', () => {
  expect(htmlToText(page)).toBe('Hello World\nFirst & second\nline\none\ntwo\na\n  b\nA B C A again');
  expect(htmlToText('<table><tr><td>a<td>b<tr><td>c</table>')).toBe('a\tb\nc');
  expect(htmlToText('just &lt;text&gt;')).toBe('just <text>');
});

test('links are absolute, each once, and lead to the web', () => {
  expect(linksOf(page, 'https://site.example/x/y')).toEqual([
    'https://site.example/docs/a.html',
    'https://other.example/',
  ]);
});

test.each([
  ['h1', ['Hello World']],
  ['#top.big', ['Hello World']],
  ['h1 > b, .lead', ['World', 'First & second\nline']],
  ['ul li', ['one', 'two']],
  ['li:first-child', ['one']],
  ['li:last-child[data-n="2"]', ['two']],
  ['a[href^=https]', ['B']],
  ['a[href$=".html"]', ['A', 'A again']],
  ['[class~=title] b', ['World']],
  ['body > b', []],
  ['body b', ['World']],
  ['.nothing', []],
])('selects %s', (selector, texts) => {
  expect(selectHtml(page, selector, 100).map(({ text }) => text)).toEqual(texts);
});

test('tells what it found, up to the limit', () => {
  expect(selectHtml(page, 'h1', 1)).toEqual([
    {
      tag: 'h1',
      attributes: { id: 'top', class: 'big title' },
      text: 'Hello World',
      html: '<h1 id="top" class="big title">Hello <b>World</b></h1>',
    },
  ]);
  expect(selectHtml(page, '*', 3)).toHaveLength(3);
});

test.each(['', 'a >', '> a', 'a,,b', 'a::before', 'a[', 'a:hover', 'a!', 'x'.repeat(600)])(
  'refuses the selector %j',
  (selector) => {
    expect(() => selectHtml(page, selector, 1)).toThrow('The selector');
  },
);

test('pages that nest without end are refused', () => {
  expect(() => htmlToText('<div>'.repeat(100_000))).toThrow('nests deeper');
  expect(() => sanitiseHtml('<b>'.repeat(100_000))).toThrow('nests deeper');
});

test.each([
  ['<p onclick="x()">a</p>', '<p>a</p>'],
  ['<script>alert(1)</script>b', 'b'],
  ['<a href="javascript:alert(1)">x</a>', '<a rel="nofollow noopener noreferrer">x</a>'],
  ['<a href=" java\tscript:alert(1)">x</a>', '<a rel="nofollow noopener noreferrer">x</a>'],
  ['<img src="data:text/html,x" alt=\'"\'>', '<img alt="&quot;">'],
  ['<img src=x onerror=alert(1)>', '<img src="x">'],
  ['<svg><a xlink:href="javascript:1">x</a></svg>y', 'y'],
  ['<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>', ''],
  ['<form><button>go</button></form>', 'go'],
  ['<iframe src="x">a</iframe><style>b</style><!-- c -->d', 'd'],
  ['<noscript><p title="</noscript><img src=x onerror=alert(1)>">', '<img src="x">"&gt;'],
  ['<unknown>kept text</unknown>', 'kept text'],
  ['<b><i>crossed</b></i>', '<b><i>crossed</i></b>'],
  ['<pre>\n\na</pre>', '<pre>\n\na</pre>'],
  ['1 < 2 & 3', '1 &lt; 2 &amp; 3'],
])('makes %j safe', (html, safe) => {
  expect(sanitiseHtml(html)).toBe(safe);
});

test('whatever comes in, what goes out is safe and reads the same again', () => {
  const pieces = fc.constantFrom(
    ...'<b> </b> <a href="javascript:x"> </a> <table> </table> <tr> <td> <svg> </svg> <math> <mtext> <style> </style> <script> </script> <p> <p title="x> <pre> <!-- --> <template> </template> <select> <option> <noscript> </noscript> <title> </title> <xmp> <img onerror=x src=y> text \n &lt; &amp; " \' > <'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const safe = sanitiseHtml(parts.join(''));
      expect(sanitiseHtml(safe)).toBe(safe);
      const check = (node: DefaultTreeAdapterTypes.ChildNode): void => {
        if (!('tagName' in node)) return;
        expect(['script', 'style', 'svg', 'math', 'iframe', 'template', 'form']).not.toContain(node.tagName);
        for (const { name, value } of node.attrs) {
          expect(name).not.toMatch(/^on/);
          expect(value).not.toMatch(/^\s*javascript/i);
        }
        node.childNodes.forEach(check);
      };
      parseFragment(safe).childNodes.forEach(check);
    }),
    { numRuns: 500 },
  );
});
