// Terraform puts this file before each of the others: which paths are plain, and the answer to all the rest.
//
// CloudFront normalises a path to choose a behaviour and then sends the path as it came, so that a path which is not
// plain can be one thing to CloudFront and another to the server behind it.

// True for a path that everybody reads alike: no empty segment and no dot segment, not even percent-encoded or behind a
// backslash or a semicolon, no control character, no escape that is none.
function isPlain(uri) {
    if (!/^(?:[!-$&-~]|%[2-9a-f][0-9a-f])+$/i.test(uri) || /%7f/i.test(uri)) {
        return false;
    }
    const read = uri.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/').replace(/%3b/gi, ';');
    return !/\/(?:[;/]|\.{1,2}(?:[;/]|$))/.test(read);
}

// Answers at the edge: nothing behind it is asked. CloudFront adds no security headers to what a function answers.
function notFound() {
    return {
        statusCode: 404,
        statusDescription: 'Not Found',
        headers: {
            'cache-control': { value: 'no-store' },
            'content-type': { value: 'application/json' },
            'strict-transport-security': { value: 'max-age=31536000' },
            'x-content-type-options': { value: 'nosniff' }
        },
        body: { encoding: 'text', data: '{"message":"Not Found"}' }
    };
}
