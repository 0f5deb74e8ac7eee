// Answers HTTP requests, as a component for wasi:http. It does what http-hello does in Rust.

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

async function answer(request) {
  const { pathname, search } = new URL(request.url);
  const status = { GET: 200, HEAD: 200, POST: 201 }[request.method] ?? 405;
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-written-in': 'JavaScript' };
  if (status === 405) headers.allow = 'GET, HEAD, POST';
  if (request.method === 'HEAD') return new Response(null, { status, headers });
  const greeting = request.headers.get('x-greeting') ?? '';
  const body = new Uint8Array(await request.arrayBuffer());
  const head = new TextEncoder().encode(`${request.method} ${pathname}${search}\ngreeting: ${greeting}\n`);
  const tail = new TextEncoder().encode(`\n${body.length} bytes\n`);
  return new Response(new Blob([head, body, tail]), { status, headers });
}
