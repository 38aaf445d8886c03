"""The adversarial venue with the face of Alpaca: the same books and faults, in Alpaca's words.

`http://host:port/alpaca/<account>` is what Alpaca calls its base URL (`/v2/...` follows), and
`ws://host:port/alpaca/<account>/stream` tells trade updates: silent until somebody authenticates,
in binary frames, without replay. The keys of an account are `key-<account>` and
`secret-<account>`. Orders are limit orders, ioc, day or gtc, with a stop beside them (`oco`) or a
stop alone (`stop_limit`); options, notional and brackets with an entry are not here. What Alpaca
does is taken from its public documentation and from what its users report; what nobody documents
(how a bust shows in the list of activities) is told as the stream tells it.
"""
