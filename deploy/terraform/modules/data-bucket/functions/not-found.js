// Answers 404 to every request, whatever it asks for: what lies behind this path is not for readers.
function handler(event) {
    return {
        statusCode: 404,
        statusDescription: 'Not Found',
        headers: {
            'cache-control': { value: 'public, max-age=60' },
            'content-type': { value: 'text/plain; charset=utf-8' }
        },
        body: { encoding: 'text', data: 'Not found\n' }
    };
}
