-- The client's tables, step 7: what this program found itself is a code, no longer an English sentence. Never edited: a
-- change is a new step.

ALTER TABLE delivery ADD COLUMN local TEXT; -- a code of LocalReason; `phrase` is then its detail

UPDATE delivery SET local = 'no-answer', phrase = ''
    WHERE phrase = 'No answer from the server' AND state = 'failed' AND status = 408;
UPDATE delivery SET local = 'no-connection', phrase = ''
    WHERE phrase = 'The connection to the server broke each time' AND state = 'failed' AND status = 408;
UPDATE delivery SET local = 'no-final-answer', phrase = ''
    WHERE phrase = 'No answer came back' AND state = 'failed' AND status = 408;
UPDATE delivery SET local = 'their-program', phrase = ''
    WHERE phrase = 'Their program could not deliver it' AND state = 'failed' AND status IS NULL;
UPDATE delivery SET local = 'no-fan-out', phrase = ''
    WHERE phrase = 'The server does not send one message to several people' AND state = 'failed';
UPDATE delivery SET local = 'too-large', phrase = ''
    WHERE phrase = 'Too large for UDP, and the server takes no TCP connection' AND state = 'failed' AND status IS NULL;
UPDATE delivery SET local = 'no-tls', phrase = ''
    WHERE phrase = 'Asks for TLS all the way, and this account does not use TLS' AND state = 'failed' AND status IS NULL;
UPDATE delivery SET local = 'not-reached', phrase = substr(phrase, 38)
    WHERE phrase LIKE 'Redirected, and nobody is reached at %' AND state = 'failed' AND status = 503;
UPDATE delivery SET local = 'list-server', phrase = ''
    WHERE phrase = 'The server sends it on and does not tell who got it' AND state IN ('passed-on', 'read');
