"""The words of SecLang that the engine knows; any other keeps it from starting.

From Coraza 3, the engine's own registries of directives, variables, operators, actions and transformations
(corazawaf/coraza on GitHub: internal/seclang, internal/variables, internal/operators, internal/actions,
internal/transformations). Operators are case-sensitive there, everything else is not.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIRECTIVES = _words(
    """
    seccomponentsignature secmarker secaction secrule secresponsebodyaccess secrequestbodylimit secrequestbodyaccess
    secruleengine secwebappid secserversignature secruleremovebytag secruleremovebymsg secruleremovebyid
    secresponsebodymimetypesclear secresponsebodymimetype secresponsebodylimitaction secresponsebodylimit
    secrequestbodylimitaction secrequestbodyinmemorylimit secremoterulesfailaction secconnwritestatelimit secsensorid
    secconnreadstatelimit secpcrematchlimitrecursion secpcrematchlimit sechttpblkey secgsblookupdb sechashmethodpm
    sechashmethodrx sechashparam sechashkey sechashengine secdefaultaction secconnengine seccollectiontimeout
    secauditlog secauditlogtype secauditlogformat secauditlogdir secauditlogdirmode secauditlogfilemode
    secauditlogrelevantstatus secauditlogparts secauditengine secdatadir secuploadkeepfiles secuploadfilemode
    secuploadfilelimit secuploaddir secrequestbodynofileslimit secdebuglog secdebugloglevel secruleupdatetargetbyid
    secruleupdateactionbyid secruleupdatetargetbytag secignorerulecompilationerrors secdataset secargumentslimit
    secargumentseparator seccookieformat secruleupdatetargetbymsg secrulescript secruleperftime secunicodemap
    sectmpdir
    """
)

FORBIDDEN = {
    "include": "a published file must not read other files of the machine that loads it",
    "secremoterules": "a published file must not make engines load rules from elsewhere",
    "secruleengine": "a published file must not switch the engine on or off",
    "secrulescript": "a published file must not run programs",
    "secignorerulecompilationerrors": "rules that do not load would be lost without a word",
    **dict.fromkeys(
        _words("secdebuglog secauditlog secauditlogdir secdatadir secuploaddir sectmpdir secgsblookupdb secunicodemap"),
        "a published file must not name files of the machine that loads it",
    ),
    **dict.fromkeys(
        _words("secauditengine secauditlogparts secauditlogrelevantstatus secdebugloglevel secuploadkeepfiles"),
        "a published file must not decide what the machine that loads it records",
    ),
    **dict.fromkeys(
        _words(
            """
            secrequestbodyaccess secrequestbodylimit secrequestbodylimitaction secrequestbodynofileslimit
            secrequestbodyinmemorylimit secresponsebodyaccess secresponsebodylimit secresponsebodylimitaction
            secresponsebodymimetype secresponsebodymimetypesclear secargumentslimit secargumentseparator seccookieformat
            secconnengine sechashengine
            """
        ),
        "a published file must not decide what the engine looks at",
    ),
}
"""Directives that the engine may know but that data from a bucket has no business with, and why."""

SELECTABLE = _words(
    """
    RESPONSE_HEADERS_NAMES REQUEST_HEADERS_NAMES ARGS ARGS_GET ARGS_POST ARGS_PATH FILES_SIZES FILES_NAMES
    FILES_TMP_CONTENT MULTIPART_FILENAME MULTIPART_NAME MATCHED_VARS_NAMES MATCHED_VARS FILES REQUEST_COOKIES
    REQUEST_HEADERS RESPONSE_HEADERS GEO REQUEST_COOKIES_NAMES FILES_TMPNAMES ARGS_NAMES ARGS_GET_NAMES
    ARGS_POST_NAMES TX RULE JSON ENV RESPONSE_ARGS RESPONSE_XML REQUEST_XML XML MULTIPART_PART_HEADERS
    """
)
"""Variables that are collections: only these take a key after a colon."""

VARIABLES = SELECTABLE | _words(
    """
    UNKNOWN RESPONSE_CONTENT_TYPE UNIQUE_ID ARGS_COMBINED_SIZE FILES_COMBINED_SIZE FULL_REQUEST_LENGTH
    INBOUND_DATA_ERROR MATCHED_VAR MATCHED_VAR_NAME MULTIPART_DATA_AFTER OUTBOUND_DATA_ERROR QUERY_STRING REMOTE_ADDR
    REMOTE_HOST REMOTE_PORT REQBODY_ERROR REQBODY_ERROR_MSG REQBODY_PROCESSOR_ERROR REQBODY_PROCESSOR_ERROR_MSG
    REQBODY_PROCESSOR REQUEST_BASENAME REQUEST_BODY REQUEST_BODY_LENGTH REQUEST_FILENAME REQUEST_LINE REQUEST_METHOD
    REQUEST_PROTOCOL REQUEST_URI REQUEST_URI_RAW RESPONSE_BODY RESPONSE_CONTENT_LENGTH RESPONSE_PROTOCOL
    RESPONSE_STATUS SERVER_ADDR SERVER_NAME SERVER_PORT HIGHEST_SEVERITY STATUS_LINE DURATION RES_BODY_PROCESSOR
    URLENCODED_ERROR RES_BODY_ERROR RES_BODY_ERROR_MSG RES_BODY_PROCESSOR_ERROR RES_BODY_PROCESSOR_ERROR_MSG TIME
    TIME_DAY TIME_EPOCH TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY TIME_YEAR AUTH_TYPE FULL_REQUEST
    MULTIPART_BOUNDARY_QUOTED MULTIPART_BOUNDARY_WHITESPACE MULTIPART_CRLF_LF_LINES MULTIPART_DATA_BEFORE
    MULTIPART_FILE_LIMIT_EXCEEDED MULTIPART_HEADER_FOLDING MULTIPART_INVALID_HEADER_FOLDING MULTIPART_INVALID_PART
    MULTIPART_INVALID_QUOTING MULTIPART_LF_LINE MULTIPART_MISSING_SEMICOLON MULTIPART_STRICT_ERROR
    MULTIPART_UNMATCHED_BOUNDARY PATH_INFO SESSIONID USERID IP URI_PARSE_ERROR
    """
)

OPERATORS = _words(
    """
    rx pm pmf pmFromFile pmFromDataset beginsWith contains endsWith streq strmatch within eq ge gt le lt ipMatch
    ipMatchF ipMatchFromFile ipMatchFromDataset detectSQLi detectXSS geoLookup inspectFile noMatch rbl restpath
    unconditionalMatch validateByteRange validateNid validateSchema validateUrlEncoding validateUtf8Encoding
    """
)

PHRASE_FILE_OPERATORS = frozenset({"pmFromFile", "pmf"})
"""Operators whose argument names a phrase file that must be loaded from beside the rules."""

ADDRESS_FILE_OPERATORS = frozenset({"ipMatchFromFile", "ipMatchF"})
"""Operators whose argument names a file of addresses beside the rules."""

PROGRAM_OPERATORS = frozenset({"inspectFile"})
"""Operators that run a program of the machine that loads the rules."""

ACTIONS = _words(
    """
    allow auditlog block capture chain ctl deny drop exec expirevar id initcol log logdata maturity msg multimatch
    noauditlog nolog pass phase redirect rev setenv setvar severity skip skipafter status t tag ver accuracy
    """
)

WITHOUT_VALUE = _words("auditlog block capture chain deny drop log multimatch noauditlog nolog pass")
"""Actions that take no value; the engine refuses one."""

OPTIONAL_VALUE = frozenset({"allow"})

METADATA = _words("accuracy id maturity msg phase rev severity tag ver")
"""Actions that SecDefaultAction must not carry, `phase` excepted."""

DISRUPTIVE = _words("allow block deny drop pass redirect")

PHASES = _words("1 2 3 4 5 request response logging")

SEVERITIES = _words("0 1 2 3 4 5 6 7 emergency alert critical error warning notice info debug")

CONTROLS = _words(
    """
    auditEngine auditLogParts requestBodyAccess requestBodyLimit requestBodyProcessor forceRequestBodyVariable
    responseBodyProcessor responseBodyAccess responseBodyLimit forceResponseBodyVariable ruleEngine ruleRemoveById
    ruleRemoveByMsg ruleRemoveByTag ruleRemoveTargetById ruleRemoveTargetByMsg ruleRemoveTargetByTag hashEngine
    hashEnforcement debugLogLevel
    """
)
"""What the `ctl` action may change; case-sensitive in the engine."""

TRANSFORMATIONS = _words(
    """
    base64decode base64decodeext base64encode cmdline compresswhitespace cssdecode escapeseqdecode hexdecode hexencode
    htmlentitydecode jsdecode length lowercase md5 none normalisepath normalisepathwin normalizepath normalizepathwin
    removecomments removecommentschar removenulls removewhitespace replacecomments replacenulls sha1 uppercase
    urldecode urldecodeuni urlencode utf8tounicode trim trimleft trimright
    """
)
